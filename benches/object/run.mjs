// Measures in workerd what one stream's object does in a second, beside an object that somebody writes by hand and that
// only inserts rows, after a build: node benches/object/run.mjs [rounds]
//
// Both take turns, round after round, each on a stream of its own; the medians are printed. Whoever sends the requests is
// on the same machine, and takes its share of the time from both alike.
import { fileURLToPath } from "node:url";

import { startServer } from "../../tests/support/server.ts";

const ROUNDS = Number(process.argv[2] ?? 7);
const [AT_ONCE, APPENDS] = [16, 1500];
const [COMMITS, EVENTS] = [10, 1000];

const event = (n) => ({
  type: "Deposited",
  data: { amount: n, currency: "EUR", note: "a deposit" },
});
const single = JSON.stringify(event(1));
const thousand = JSON.stringify(Array.from({ length: EVENTS }, (_, n) => event(n)));

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const servers = {
  "by hand": await startServer({ config: at("wrangler.toml") }),
  sillok: await startServer(),
};

async function answered(response, status) {
  const text = await response.text();
  if (response.status !== status) throw new Error(`${response.status}: ${text}`);
  return text;
}

async function append(url, body) {
  await answered(await fetch(url, { method: "POST", body }), 201);
}

/** What is measured: how many things are done in it, and the work. */
const WORKS = {
  "single events appended a second": [
    APPENDS,
    async (url) => {
      let left = APPENDS;
      const writer = async () => {
        while (left-- > 0) await append(url, single);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, writer));
    },
  ],
  "commits of 1,000 events a second": [
    COMMITS,
    async (url) => {
      for (let n = 0; n < COMMITS; n += 1) await append(url, thousand);
    },
  ],
  "events read a second, 1,000 a page": [
    COMMITS * EVENTS,
    async (url) => {
      for (let from = 1; from < COMMITS * EVENTS; from += EVENTS) {
        await answered(await fetch(`${url}?from=${from}&limit=${EVENTS}`), 200);
      }
    },
  ],
};

const rates = new Map();
for (let round = 0; round <= ROUNDS; round += 1) {
  const names = Object.keys(servers);
  if (round % 2 === 1) names.reverse();
  for (const [work, [count, run]] of Object.entries(WORKS)) {
    for (const name of names) {
      // The events that are read are the ones that were appended by the thousand.
      const stream = work.startsWith("single") ? `account-${round}` : `order-${round}`;
      const start = performance.now();
      await run(new URL(`/v1/streams/${stream}/events`, servers[name].url).href);
      const rate = (count * 1000) / (performance.now() - start);
      const key = `${work}/${name}`;
      // The first round warms up and is not counted.
      if (round > 0) rates.set(key, [...(rates.get(key) ?? []), rate]);
    }
  }
}
for (const server of Object.values(servers)) await server.stop();

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
console.log("| | by hand | sillok | of its speed |\n|---|---|---|---|");
for (const work of Object.keys(WORKS)) {
  const [hand, ours] = ["by hand", "sillok"].map((name) => median(rates.get(`${work}/${name}`)));
  console.log(
    `| ${work} | ${hand.toFixed(0)} | ${ours.toFixed(0)} | ${(ours / hand).toFixed(2)} |`,
  );
}
