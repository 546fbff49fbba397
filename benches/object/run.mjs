// Measures in workerd the work of one stream's object in a second, beside an object that a user writes by hand and that only
// inserts rows. Run it after a build: node benches/object/run.mjs [rounds]
//
// Both take turns in several rounds, each on a stream of its own. The script prints the medians of the elapsed time and of
// workerd's processor time. The processor time does not depend on other programs. The sender of the requests is on the same
// machine, and takes the same share of the time from both.
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { startServer } from "../../tests/support/server.ts";

const ROUNDS = Number(process.argv[2] ?? 7);
const [AT_ONCE, APPENDS] = [16, 1500];
const [COMMITS, EVENTS] = [50, 1000];

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

const times = new Map();
for (let round = 0; round <= ROUNDS; round += 1) {
  const names = Object.keys(servers);
  if (round % 2 === 1) names.reverse();
  for (const [work, [count, run]] of Object.entries(WORKS)) {
    for (const name of names) {
      // The events to read are the ones that were appended by the thousand.
      const stream = work.startsWith("single") ? `account-${round}` : `order-${round}`;
      const [start, busy] = [performance.now(), await servers[name].busy()];
      await run(new URL(`/v1/streams/${stream}/events`, servers[name].url).href);
      const passed = (performance.now() - start) / 1000;
      // The work after the answers, such as forwarding, counts too.
      await sleep(200);
      const taken = [passed, (await servers[name].busy()) - busy].map((seconds) => seconds / count);
      const key = `${work}/${name}`;
      // The first round warms up, and does not count.
      if (round > 0) times.set(key, [...(times.get(key) ?? []), taken]);
    }
  }
}
for (const server of Object.values(servers)) await server.stop();

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
console.log("| | by hand | sillok | of its speed | busy, µs: by hand | sillok | of its speed |");
console.log("|---|---|---|---|---|---|---|");
for (const work of Object.keys(WORKS)) {
  const [hand, ours] = ["by hand", "sillok"].map((name) =>
    [0, 1].map((which) => median(times.get(`${work}/${name}`).map((taken) => taken[which]))),
  );
  const cells = [
    ...[hand, ours].map(([passed]) => (1 / passed).toFixed(0)),
    (hand[0] / ours[0]).toFixed(2),
    ...[hand, ours].map(([, busy]) => (busy * 1e6).toFixed(0)),
    (hand[1] / ours[1]).toFixed(2),
  ];
  console.log(`| ${work} | ${cells.join(" | ")} |`);
}
