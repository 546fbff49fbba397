/** Makes the tables of a D1 database. */

import { readFile } from "node:fs/promises";

import type { Server } from "./server.ts";

/** Runs the statements of a file in the database with this binding. */
export async function migrate(server: Server, binding: string, file: string): Promise<void> {
  const schema = await readFile(file, "utf8");
  const db = await server.database(binding);
  const statements = schema.replaceAll(/^--.*$/gm, "").split(";");
  await db.batch(statements.filter((text) => text.trim() !== "").map((text) => db.prepare(text)));
}
