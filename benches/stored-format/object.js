// One Durable Object for each candidate. Each shows a way to store a commit, written and read by plain JavaScript.
import { DurableObject } from "cloudflare:workers";

const event = (number) =>
  `{"id":"0197a1b2-c3d4-7e5f-8a9b-${String(number).padStart(12, "0")}","type":"Deposited","data":{"amount":${number},"currency":"KRW"}}`;
const commit = (count) =>
  `[${Array.from({ length: count }, (_, place) => event(place)).join(",")}]`;
const hash = new Uint8Array(32).fill(7);
const bytes = new TextEncoder();
const text = new TextDecoder();

const columns = "time INTEGER NOT NULL, hash BLOB NOT NULL";
const insert = "INSERT INTO commits VALUES (?1, ?2, ?3, ?4)";
const select = "SELECT events FROM commits ORDER BY version";

/** Name, the table, how a commit is written and how its events come back as text. */
export const candidates = {
  "rowid table, text": {
    table: `CREATE TABLE commits (version INTEGER PRIMARY KEY, ${columns}, events TEXT NOT NULL) STRICT`,
    write: (sql, version, events) => sql.exec(insert, version, 1, hash, events),
    read: (sql) => [...sql.exec(select).raw()].map(([events]) => events),
  },
  "WITHOUT ROWID, text": {
    table: `CREATE TABLE commits (version INTEGER PRIMARY KEY, ${columns}, events TEXT NOT NULL) STRICT, WITHOUT ROWID`,
    write: (sql, version, events) => sql.exec(insert, version, 1, hash, events),
    read: (sql) => [...sql.exec(select).raw()].map(([events]) => events),
  },
  "rowid table, JSONB": {
    table: `CREATE TABLE commits (version INTEGER PRIMARY KEY, ${columns}, events BLOB NOT NULL) STRICT`,
    write: (sql, version, events) =>
      sql.exec("INSERT INTO commits VALUES (?1, ?2, ?3, jsonb(?4))", version, 1, hash, events),
    read: (sql) =>
      [...sql.exec("SELECT json(events) FROM commits ORDER BY version").raw()].map(
        ([events]) => events,
      ),
  },
  "rowid table, bytes": {
    table: `CREATE TABLE commits (version INTEGER PRIMARY KEY, ${columns}, events BLOB NOT NULL) STRICT`,
    write: (sql, version, events) => sql.exec(insert, version, 1, hash, bytes.encode(events)),
    read: (sql) => [...sql.exec(select).raw()].map(([events]) => text.decode(events)),
  },
  "a row an event": {
    table: `CREATE TABLE commits (version INTEGER PRIMARY KEY, ${columns}, events TEXT NOT NULL) STRICT`,
    write: (sql, version, events) =>
      sql.exec(
        "INSERT INTO commits SELECT ?1 + key, ?2, ?3, value FROM json_each(?4)",
        version * 1024,
        1,
        hash,
        events,
      ),
    read: (sql) => [...sql.exec(select).raw()].map(([events]) => events),
  },
};

const works = {
  /** `count` commits of one event each. */
  single: (sql, candidate, count) => writeCommits(sql, candidate, count, commit(1)),
  /** `count` commits of 1,000 events each. */
  batch: (sql, candidate, count) => writeCommits(sql, candidate, count, commit(1000)),
  /** All events, parsed. */
  read: (sql, candidate) => {
    const events = candidate.read(sql).flatMap((events) => JSON.parse(events));
    return { events: events.length };
  },
};

function writeCommits(sql, candidate, count, events) {
  const next = sql.exec("SELECT count(*) AS rows FROM commits").one().rows + 1;
  let rows = 0;
  for (let place = 0; place < count; place += 1) {
    rows += candidate.write(sql, next + place, events).rowsWritten;
  }
  return { rows };
}

export class Candidate extends DurableObject {
  async fetch(request) {
    const { name, work, count } = await request.json();
    const { sql } = this.ctx.storage;
    const candidate = candidates[name];
    sql.exec(candidate.table.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"));
    return Response.json({ ...works[work](sql, candidate, count), bytes: sql.databaseSize });
  }
}

export default {
  async fetch(request, env) {
    const object = new URL(request.url).pathname;
    if (object === "/") return Response.json(Object.keys(candidates));
    return env.CANDIDATE.getByName(object).fetch(request);
  },
};
