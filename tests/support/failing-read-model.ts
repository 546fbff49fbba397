/**
 * The Worker of examples/d1-read-model whose batches go wrong as the address says: `?fail=before` the database was asked,
 * `within` the batch, after its rows were written, or `after` it was committed; `overtaken` by another run, from whose
 * reading of the page to whose end this one was held up; `held` up after the first for longer than any test waits.
 */

import worker, { type Env } from "../../examples/d1-read-model/worker.ts";

/** Makes of a batch what is wanted. */
type Batch = (db: D1Database, statements: D1PreparedStatement[], env: Env) => Promise<unknown>;

const WRONG: Record<string, Batch> = {
  async before() {
    throw new Error("it crashed with the page in its hands");
  },
  within(db, statements) {
    return db.batch([...statements, db.prepare("INSERT INTO progress VALUES (2, '')")]);
  },
  async after(db, statements) {
    await db.batch(statements);
    throw new Error("it crashed before it had the answer");
  },
  async held(db, statements) {
    await db.batch(statements);
    await scheduler.wait(3_600_000);
  },
  async overtaken(db, statements, env) {
    await worker.fetch(new Request("http://beside/routes"), env);
    return db.batch(statements);
  },
};

/** The Worker's environment, but for what is made of its batches. */
function failing(env: Env, where: string): Env {
  const batch = (statements: D1PreparedStatement[]) => WRONG[where]?.(env.DB, statements, env);
  const DB = { prepare: (query: string) => env.DB.prepare(query), batch };
  return { ...env, DB: DB as unknown as D1Database };
}

export default {
  fetch(request, env) {
    const where = new URL(request.url).searchParams.get("fail");
    const given = where === null ? env : failing(env, where);
    return worker.fetch(request, given);
  },
  scheduled: worker.scheduled,
} satisfies ExportedHandler<Env>;
