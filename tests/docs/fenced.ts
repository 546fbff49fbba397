// The fenced blocks of the project's documents.
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = new URL("../../", import.meta.url);

/** The documents whose commands are run. */
export const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "js/create/README.md",
  ...globSync(["docs/*.md", "docs/guides/*.md", "examples/README.md", "examples/*/README.md"], {
    cwd: fileURLToPath(root),
  }).toSorted(),
];

/** The fenced blocks of one language in a document, in order. */
export function fenced(document: string, language: string): string[] {
  const text = readFileSync(new URL(document, root), "utf8");
  const blocks = text.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...blocks].filter(([, name]) => name === language).map(([, , block]) => block ?? "");
}

/** The section "Your first Worker" of the guide to commands. */
export const firstWorker =
  /^## Your first Worker$(.*?)^## /ms.exec(
    readFileSync(new URL("docs/guides/commands.md", root), "utf8"),
  )?.[1] ?? "";

/** The files that a text tells its reader to save, by their names. */
export function savedFiles(text: string): ReadonlyMap<string, string> {
  const files = text.matchAll(/as `([\w.]+)`[^`]*:\n\n```(?:ts|toml|json)\n(.*?)^```$/gms);
  return new Map([...files].map(([, name = "", content = ""]) => [name, content]));
}

/** The files to save in that section. */
export const firstFiles = savedFiles(firstWorker);

/** The command lines of a document. */
export function commands(document: string): string[] {
  return fenced(document, "sh").flatMap((block) => block.split("\n").filter((line) => line !== ""));
}
