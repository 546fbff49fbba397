// Measures in workerd the work of one stream's object in a second, beside an object that a user writes by hand and that only
// inserts rows. Run it after a build: node benches/object/run.mjs [rounds]
import { fileURLToPath } from "node:url";

import { startServer } from "../../tests/support/server.ts";
import { answered, compare, repeat } from "./beside.mjs";

const ROUNDS = Number(process.argv[2] ?? 7);
const [AT_ONCE, APPENDS] = [16, 1500];
const [COMMITS, EVENTS] = [50, 1000];

const event = (n) => ({
  type: "Deposited",
  data: { amount: n, currency: "EUR", note: "a deposit" },
});
const single = JSON.stringify(event(1));
const thousand = JSON.stringify(Array.from({ length: EVENTS }, (_, n) => event(n)));

/** Each round has streams of its own. The events to read are the ones that were appended by the thousand. */
const events = (url, category, round) =>
  new URL(`/v1/streams/${category}-${round}/events`, url).href;
const append = (url, body) => answered(url, 201, { method: "POST", body });

const WORKS = {
  "single events appended a second": {
    count: APPENDS,
    run: (url, round) =>
      repeat(APPENDS, AT_ONCE, () => append(events(url, "account", round), single)),
  },
  "commits of 1,000 events a second": {
    count: COMMITS,
    run: (url, round) => repeat(COMMITS, 1, () => append(events(url, "order", round), thousand)),
  },
  "events read a second, 1,000 a page": {
    count: COMMITS * EVENTS,
    async run(url, round) {
      for (let from = 1; from < COMMITS * EVENTS; from += EVENTS) {
        await answered(`${events(url, "order", round)}?from=${from}&limit=${EVENTS}`, 200);
      }
    },
  },
};

const config = fileURLToPath(new URL("wrangler.toml", import.meta.url));
const servers = { "by hand": await startServer({ config }), sillok: await startServer() };
await compare(servers, WORKS, ROUNDS);
