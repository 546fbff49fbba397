/**
 * The Worker of examples/d1-read-model with faults in its batches. The address chooses the fault. `?fail=before`: before the
 * call of the database. `within`: in the batch, after its rows were written. `after`: after the commit. `overtaken`: another
 * run takes place between this run's read of the page and its end. `held`: the run waits after the first batch, longer than any
 * test.
 */

import worker, { type Env } from "../../examples/d1-read-model/worker.ts";

/** Runs a batch with a fault. */
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

/** The Worker's environment, with faults in its batches. */
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
