import { fileURLToPath } from "node:url";

/** The commands that check the types of a project by TypeScript 5.9 and 7. */
export const compilers = ["typescript-5", "typescript"].map((name) => {
  const path = fileURLToPath(new URL(`../../node_modules/${name}/bin/tsc`, import.meta.url));
  return `${process.execPath} ${path} --project .`;
});
