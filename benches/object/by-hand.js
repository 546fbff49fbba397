// An object as a user would write it by hand: an object for each stream, a row for each event, and no other feature. It has no
// expected version, key, hash or journal, and checks no input.
import { DurableObject } from "cloudflare:workers";

export class Stream extends DurableObject {
  constructor(context, env) {
    super(context, env);
    context.storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS events (version INTEGER PRIMARY KEY, id TEXT NOT NULL, type TEXT NOT NULL,
        time INTEGER NOT NULL, data TEXT NOT NULL) STRICT`,
    );
  }

  append(events) {
    const { sql } = this.ctx.storage;
    let { version } = sql.exec("SELECT coalesce(max(version), 0) AS version FROM events").one();
    const time = Date.now();
    for (const { type, data } of events) {
      version += 1;
      const id = crypto.randomUUID();
      sql.exec(
        "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)",
        version,
        id,
        type,
        time,
        JSON.stringify(data),
      );
    }
    return version;
  }

  read(from, limit) {
    const rows = this.ctx.storage.sql.exec(
      "SELECT version, id, type, time, data FROM events WHERE version >= ?1 ORDER BY version LIMIT ?2",
      from,
      limit,
    );
    return [...rows].map((row) => ({
      ...row,
      time: new Date(row.time).toISOString(),
      data: JSON.parse(row.data),
    }));
  }
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const [, , , stream] = url.pathname.split("/");
    const object = env.STREAM.getByName(stream);
    if (request.method === "POST") {
      const body = await request.json();
      const version = await object.append(Array.isArray(body) ? body : [body]);
      return Response.json({ stream, version }, { status: 201 });
    }
    const [from, limit] = ["from", "limit"].map((name) => Number(url.searchParams.get(name)));
    return Response.json({ stream, events: await object.read(from, limit) });
  },
};
