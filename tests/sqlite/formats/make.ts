// Made the file beside it, once, with the first release of format 1, and is kept to show how:
//   node tests/sqlite/formats/make.ts
// after a build. It holds what the Worker's objects held, each in a database of its own. A new format gets a new file;
// this one is never made anew.

import { writeFileSync } from "node:fs";

import { Api, streamPath } from "../../support/api.ts";

const api = new Api();
await api.start();
const key = (key: string) => ({ "Idempotency-Key": key });

await api.appended("account-42", { type: "Opened", data: { owner: "세종" } }, key("k-1"));
await api.appended("account-42", [
  { type: "Deposited", data: { amount: 0.1 }, metadata: { correlationId: "c-1" } },
  { type: "Deposited", data: 'tab\t "quoted" \u0000 \u2028', id: "my-id" },
]);
await api.append("account-42", '{"type":"Counted","data":{ "spaced" : [1,\t2] }}');
await api.appended("cut", [{ type: "A" }, { type: "B" }, { type: "C" }]);
await api.appended("cut", { type: "D" }, key("k-2"));
await api.appended("cut", [{ type: "E" }, { type: "F" }]);
const truncate = (stream: string, before: number) =>
  api.request(`${streamPath(stream)}/truncate`, { method: "POST", body: `{"before":${before}}` });
await truncate("cut", 6);
await api.appended("emptied", { type: "A" });
await truncate("emptied", 2);
await api.appended("deleted", { type: "A" });
await api.request(streamPath("deleted"), { method: "DELETE" });

const SCHEMA = "SELECT sql FROM sqlite_master WHERE tbl_name = 'commits_v1' AND sql IS NOT NULL";
const ROWS = `SELECT 'INSERT INTO commits_v1 VALUES (' || version || ', ' || time || ', ' || quote(hash) || ', '
  || quote(events) || ', ' || quote(key) || ')' AS sql FROM commits_v1 ORDER BY version`;
const kept: Record<string, unknown> = {};
for (const stream of ["account-42", "cut", "emptied", "deleted"]) {
  const sql = [SCHEMA, ROWS].map((query) => api.server.sql(stream, query));
  const page = (await api.read(stream)).text;
  const events = ((JSON.parse(page).events ?? []) as { time: string }[]).map(
    ({ time, ...event }) => ({
      ...event,
      time: Date.parse(time),
    }),
  );
  const { json: verified } = await api.request(`${streamPath(stream)}/verify`);
  kept[stream] = { sql: (await Promise.all(sql)).flat().map(({ sql }) => sql), events, verified };
}
await api.stop();
const json = `${JSON.stringify(kept, undefined, 2)}\n`;
writeFileSync(new URL("format-1.json", import.meta.url), json);
