// The configuration of a Worker that a user composes.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { ROOT } from "./scratch.ts";

/** The variables of a Worker that needs no token. */
export const OPEN = '[vars]\nSILLOK_AUTH = "off"\n';

/**
 * The wrangler.toml of the Worker in worker.ts. The objects are those of the plain deployment. The build step is missing, because the
 * package is installed. There is no page.
 */
export async function ownConfiguration(date: string, variables: string): Promise<string> {
  const deployed = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  const objects = deployed.slice(deployed.indexOf("[[durable_objects.bindings]]"));
  const head = `name = "own"\nmain = "worker.ts"\ncompatibility_date = "${date}"\n`;
  return `${head}${variables}${objects}`;
}
