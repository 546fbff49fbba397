import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { Project } from "./folder.ts";
import type { TemplateName } from "./templates.ts";

/** The name of the project in the files of a template. */
const PLACEHOLDER = "my-sillok-app";

/** The folder of a template in the package, beside the program. */
const folderOf = (template: TemplateName) => join(import.meta.dirname, "templates", template);

/** The commands and the dependencies in the package.json of a template. */
export interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Reads the package.json of a template. */
export const manifestOf = (template: TemplateName): Manifest =>
  JSON.parse(readFileSync(join(folderOf(template), "package.json"), "utf8")) as Manifest;

/** Writes the files of a template into the folder of the project. All of them are texts. */
export function writeProject({ name, folder }: Project, template: TemplateName): void {
  const source = folderOf(template);
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // npm would leave a file out that has the name .gitignore.
    const target = join(folder, path.slice(source.length).replace(/_gitignore$/, ".gitignore"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, readFileSync(path, "utf8").replaceAll(PLACEHOLDER, name));
  }
}
