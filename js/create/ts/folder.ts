import { readdirSync } from "node:fs";
import { basename, resolve } from "node:path";

import { Mistake } from "./mistake.ts";

/** The longest name of a Worker. */
const LONGEST_NAME = 63;
/** Letters, digits and dashes. A dash is neither the first nor the last. */
const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** Entries of a folder that a project may have before it has files. */
const HARMLESS = [".git", ".DS_Store", ".idea", ".vscode"];

/** A new project: its name, and the folder in which it will be. */
export interface Project {
  readonly name: string;
  readonly folder: string;
}

/**
 * Checks a name, and the folder of this name. The name `.` is the current folder.
 *
 * @throws {@link Mistake} if the name is not valid for a package and a Worker, or the folder is not empty.
 */
export function projectOf(name: string, dependencies: readonly string[] = []): Project {
  const folder = resolve(name);
  const own = name === "." ? basename(folder) : name;
  const wrong = wrongName(own, dependencies);
  if (wrong !== undefined) throw new Mistake(wrong);
  const shown = name === "." ? "this folder" : `the folder \`${name}\``;
  const entries = entriesOf(folder);
  if (entries === undefined) throw new Mistake(`\`${name}\` is a file; choose another name`);
  const found = entries.filter((entry) => !HARMLESS.includes(entry));
  if (found.length > 0) throw new Mistake(`${shown} is not empty: it has \`${found[0]}\``);
  return { name: own, folder };
}

/** The reason why a name is not valid. */
function wrongName(name: string, dependencies: readonly string[]): string | undefined {
  if (name.length > LONGEST_NAME) {
    return `the name has ${name.length} characters; the most is ${LONGEST_NAME}`;
  }
  if (!NAME.test(name)) {
    return `\`${name}\` is not a valid name; use lower-case letters, digits and dashes, such as my-app`;
  }
  return dependencies.includes(name)
    ? `\`${name}\` is the name of a package that the project uses; choose another name`
    : undefined;
}

/** The entries of a folder. None, if the folder is missing; `undefined`, if it is a file. */
function entriesOf(folder: string): string[] | undefined {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    if (code === "ENOTDIR") return undefined;
    throw error;
  }
}
