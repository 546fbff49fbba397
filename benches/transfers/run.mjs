// Counts in workerd what a transfer of the example's bank costs from end to end: the rows and the calls of all objects, with the
// journal and the alarms, by the runtime's own accounting. Run it after a build: node benches/transfers/run.mjs
//
// A transfer has three events in a stream of its own, whose tables it makes, and one in each of two accounts. The script prints two
// prices: of transfers one after the other, each after everything was quiet, and of 20 at once.
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { startServer } from "../../tests/support/server.ts";

/** Dollars per million, as Cloudflare lists them. */
const PRICES = { written: 1, read: 0.001, calls: 0.15, requests: 0.3 };
const [ACCOUNTS, IDLE, BUSY, AT_ONCE] = [20, 3, 200, 20];
/** The time after which no alarm is left, in milliseconds. */
const QUIET = 8000;

const entry = fileURLToPath(new URL("worker.ts", import.meta.url));
const server = await startServer({ entry });

async function json(path, init) {
  const response = await fetch(new URL(path, server.url), init);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}

const execute = (stream, type, data) =>
  json(`/v1/streams/${stream}/commands`, { method: "POST", body: JSON.stringify({ type, data }) });

/** Waits until the journal has all events and every alarm has rung. */
async function quiet() {
  await sleep(QUIET);
}

async function counted() {
  const { written, read, alarmsSet, calls } = await json("/counts");
  return { written: written + alarmsSet, read, calls };
}

/** What the work has cost, for each of its transfers. */
async function cost(transfers, work) {
  const before = await counted();
  await work();
  await quiet();
  const after = await counted();
  const calls = Object.entries(after.calls).map(([name, count]) => [
    name,
    (count - (before.calls[name] ?? 0)) / transfers,
  ]);
  const all = calls.reduce((sum, [, count]) => sum + count, 0);
  const rows = (kind) => (after[kind] - before[kind]) / transfers;
  return { written: rows("written"), read: rows("read"), calls: all, each: calls };
}

const order = (n) => {
  const from = n % ACCOUNTS;
  return { from: `account-${from}`, to: `account-${(from + 7) % ACCOUNTS}`, cents: 1 + n };
};

/** Transfers whose ends the script does not ask for, so that it pays for nothing else. */
const transfer = (n) => execute(`transfer-${n}`, "Request", order(n));

for (let n = 0; n < ACCOUNTS; n += 1) {
  await execute(`account-${n}`, "Open", { owner: "Ada" });
  await execute(`account-${n}`, "Deposit", { cents: 1_000_000 });
}
let next = 0;
// The first transfer of an account makes a table.
for (let n = 0; n < ACCOUNTS; n += 1) await transfer(next++);
await quiet();

const idle = await cost(IDLE, async () => {
  for (let n = 0; n < IDLE; n += 1) {
    await transfer(next++);
    if (n < IDLE - 1) await quiet();
  }
});
const busy = await cost(BUSY, async () => {
  const end = next + BUSY;
  const send = async () => {
    while (next < end) await transfer(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
});

for (let n = 0; n < next; n += 1) {
  const { state } = await json(`/v1/streams/transfer-${n}/state`);
  if (state.status !== "completed") throw new Error(`transfer ${n} is ${state.status}`);
}

console.log(
  "| a transfer, end to end | rows written | rows read | calls of objects | $ per million |",
);
console.log("|---|---|---|---|---|");
for (const [name, { written, read, calls }] of Object.entries({
  "one at a time": idle,
  "20 at once": busy,
})) {
  const dollars =
    written * PRICES.written + read * PRICES.read + calls * PRICES.calls + PRICES.requests;
  const numbers = [written, read, calls, dollars].map((number) => number.toFixed(2));
  console.log(`| ${[name, ...numbers].join(" | ")} |`);
}
for (const [name, { each }] of Object.entries({ idle, busy })) {
  const shown = each
    .filter(([, count]) => count > 0)
    .map(([call, count]) => `${call} ${count.toFixed(2)}`);
  console.log(`\nCalls, ${name}: ${shown.join(", ")}`);
}
await server.stop();
