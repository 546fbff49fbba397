// This program made the files beside it, with the first release of format 1. It stays to show how: node
// tests/package/formats/make.ts after a build. A new format gets new files. These files are never made again.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { all } from "../check.ts";
import type { Sillok } from "../behaviour.ts";

const built = new URL("../../../js/dist/sillok.js", import.meta.url).href;
const { EventStore } = (await import(built)) as Sillok;

const path = join(mkdtempSync(join(tmpdir(), "sillok-format-")), "format.db");
const store = EventStore.open(path);
await store.append(
  "account-42",
  { type: "Opened", data: { owner: "세종" } },
  { idempotencyKey: "k-1" },
);
await store.append("account-42", [
  { type: "Deposited", data: { amount: 0.1 }, metadata: { correlationId: "c-1" } },
  { type: "Deposited", data: 'tab\t "quoted" \u0000 \u2028', id: "my-id" },
]);
await store.append("cut", [{ type: "A" }, { type: "B" }, { type: "C" }]);
await store.append("cut", { type: "D" }, { idempotencyKey: "é".repeat(100) });
await store.truncate("cut", { before: 3 });
await store.append("emptied", { type: "A" });
await store.truncate("emptied", { before: 2 });
await store.append("deleted", { type: "A" });
await store.delete("deleted");
store.saveEvent({ aggregateId: 7, type: "Saved", at: new Date(0), nested: [{ at: new Date(1) }] });

const streams = ["account-42", "cut", "emptied", "deleted", "7"];
const expected: Record<string, unknown> = {};
for (const stream of streams) {
  const events = stream === "deleted" ? [] : await all(store.read(stream));
  expected[stream] = { events, verified: await store.verify(stream) };
}
store.close();
writeFileSync(new URL("format-1.db.gz", import.meta.url), gzipSync(readFileSync(path)));
const json = `${JSON.stringify(expected, undefined, 2)}\n`;
writeFileSync(new URL("format-1.json", import.meta.url), json);
