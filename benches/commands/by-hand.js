// An account as a user would write it by hand: an object for each account, its state in memory, a row for each event, and no
// other feature. It has no schemas, expected version, command id, hash, snapshot or journal.
import { DurableObject } from "cloudflare:workers";

export class Stream extends DurableObject {
  #version = 0;
  #state = { owner: null, cents: 0 };

  constructor(context, env) {
    super(context, env);
    const { sql } = context.storage;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS events (version INTEGER PRIMARY KEY, id TEXT NOT NULL, type TEXT NOT NULL,
        time INTEGER NOT NULL, data TEXT NOT NULL) STRICT`,
    );
    for (const { version, type, data } of sql.exec("SELECT version, type, data FROM events")) {
      this.#evolve(version, { type, data: JSON.parse(data) });
    }
  }

  execute(command) {
    const decision = this.#decide(command);
    if (decision.rejection !== undefined) return decision;
    const version = this.#version + 1;
    const [id, time] = [crypto.randomUUID(), Date.now()];
    const { type, data } = decision.event;
    this.ctx.storage.sql.exec(
      "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)",
      version,
      id,
      type,
      time,
      JSON.stringify(data),
    );
    this.#evolve(version, decision.event);
    return { version, events: [{ version, id, type, time: new Date(time).toISOString(), data }] };
  }

  #decide({ type, data }) {
    const { owner, cents } = this.#state;
    if (type === "Open") {
      if (owner !== null) return { rejection: { code: "already_open" } };
      return { event: { type: "Opened", data } };
    }
    if (owner === null) return { rejection: { code: "not_open" } };
    if (type === "Deposit") return { event: { type: "Deposited", data } };
    const missing = data.cents - cents;
    if (missing > 0) return { rejection: { code: "insufficient_funds", data: { missing } } };
    return { event: { type: "Withdrawn", data } };
  }

  #evolve(version, { type, data }) {
    const { owner, cents } = this.#state;
    this.#version = version;
    if (type === "Opened") this.#state = { owner: data.owner, cents };
    else
      this.#state = {
        owner,
        cents: type === "Deposited" ? cents + data.cents : cents - data.cents,
      };
  }
}

export default {
  async fetch(request, env) {
    const [, , , stream] = new URL(request.url).pathname.split("/");
    const outcome = await env.STREAM.getByName(stream).execute(await request.json());
    return Response.json(
      { stream, ...outcome },
      { status: outcome.rejection === undefined ? 200 : 422 },
    );
  },
};
