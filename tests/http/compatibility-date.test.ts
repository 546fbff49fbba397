/** A Worker with the least compatibility date that docs/configuration.md names: everything works. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { connect, EventStore } from "sillok";

import type { App } from "../../examples/bank/worker.ts";
import { useApi } from "../support/api.ts";
import { migrate } from "../support/migrate.ts";
import { useReceiver } from "../support/receiver.ts";
import { SocketFollower } from "../support/socket-follower.ts";

const root = new URL("../../", import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, root), "utf8");
const [, least = ""] =
  /`compatibility_date` \| `(\d{4}-\d\d-\d\d)`/.exec(textOf("docs/configuration.md")) ?? [];

const folder = mkdtempSync(join(tmpdir(), "sillok-date-"));
after(() => rmSync(folder, { recursive: true }));
const config = join(folder, "wrangler.toml");
writeFileSync(
  config,
  textOf("examples/bank/wrangler.toml")
    .replace(/^compatibility_date = .*$/m, `compatibility_date = "${least}"`)
    .replace(/^\[assets\]\ndirectory = .*$/m, ""),
);
const at = (path: string) => new URL(`examples/bank/${path}`, root).pathname;
const api = useApi({ config, entry: at("worker.ts") }, ({ server }) =>
  migrate(server, "DB", at("migrations/0001_movements.sql")),
);
const receiver = useReceiver();
const bank = () => connect<App>(api.server.url);

test("commands, processes, documents and reactors work", async () => {
  assert.match(least, /^20/);
  const [ada, alan] = [bank().aggregate("account", "ada"), bank().aggregate("account", "alan")];
  await ada.execute({ type: "Open", data: { owner: "Ada" } });
  await alan.execute({ type: "Open", data: { owner: "Alan" } });
  await ada.execute({ type: "Deposit", data: { cents: 100 } }, { commandId: "d-1" });
  const order = { id: "1", from: ada.stream, to: alan.stream, cents: 60 };
  const body = JSON.stringify(order);
  assert.equal((await api.request("/transfers", { method: "POST", body })).status, 202);
  for await (const change of bank().documents("balances").subscribe()) {
    if (change.kind !== "put" || change.key !== alan.stream) continue;
    if ((change.document as { cents: number }).cents === 60) break;
  }
  const statement = `/statement/${alan.stream}`;
  while (!(await api.request(statement)).text.includes('"cents":60')) continue;
  assert.deepEqual((await ada.state()).state, { owner: "Ada", cents: 40 });
});

test("reads and followers in all forms work", async () => {
  const store = EventStore.connect(api.server.url);
  await store.append("note-1", [{ type: "Written" }, { type: "Read" }]);
  const read: string[] = [];
  for await (const { type } of store.read("note-1")) read.push(type);
  assert.deepEqual(read, ["Written", "Read"]);
  for await (const { version } of store.subscribe("note-1")) if (version === 2) break;
  for await (const { stream } of store.subscribe({ category: "note" })) {
    assert.equal(stream, "note-1");
    break;
  }
  const url = new URL("/v1/streams/note-1/events", api.server.url);
  const follower = await SocketFollower.connect(url);
  await follower.until(({ events }) => events.length === 2);
  await follower.close();
  assert.equal((await store.verify("note-1")).intact, true);
});

test("webhooks are sent", async () => {
  const definition = { kind: "webhook", url: receiver.url, category: "bell" };
  const put = { method: "PUT", body: JSON.stringify(definition) };
  assert.equal((await api.request("/v1/consumers/bells", put)).status, 200);
  assert.equal((await api.append("bell-1", { type: "Rung" })).status, 201);
  await receiver.until(({ taken }) => taken.length === 1);
});
