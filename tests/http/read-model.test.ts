/** examples/d1-read-model in workerd, with D1. Its rows are a fold over the events, even after failures. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { freshStream, useApi } from "../support/api.ts";
import { feedOf } from "../support/feed.ts";
import { type Flight, flights } from "../support/flights.ts";
import { migrate } from "../support/migrate.ts";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const EXAMPLE = "examples/d1-read-model";
const beside = {
  config: at(`${EXAMPLE}/wrangler.toml`),
  entry: at("tests/support/failing-read-model.ts"),
};
/** The number of events in one commit. The read model applies 500 events at once. */
const COMMIT = 300;
const ROUTES = "http://beside/routes";

const lines = (await flights()).map(({ type, data }) => ({ type, data }));
/** The events that were appended so far. */
const appended: Pick<Flight, "type" | "data">[] = [];

const api = useApi({ beside }, ({ server }) =>
  migrate(server, "DB", at(`${EXAMPLE}/migrations/0001_routes.sql`)),
);

/** Appends all flights once more, and waits until they are in the feed. */
async function append(): Promise<void> {
  for (let from = 0; from < lines.length; from += COMMIT) {
    const commit = lines.slice(from, from + COMMIT);
    await api.appended(freshStream("plane"), commit);
    appended.push(...commit);
  }
  await feedOf(api, appended.length);
}

async function ask(query = ""): Promise<number> {
  const worker = await api.server.beside();
  return (await worker.fetch(`${ROUTES}${query}`)).status;
}

async function rows(): Promise<Record<string, unknown>[]> {
  const db = await api.server.database("DB");
  return (await db.prepare("SELECT * FROM routes ORDER BY origin, dest").all()).results;
}

async function checkpoint(): Promise<unknown> {
  const db = await api.server.database("DB");
  return db.prepare("SELECT checkpoint FROM progress").first("checkpoint");
}

/** The rows of the events, computed by a fold in this program. */
function folded(): Record<string, unknown>[] {
  const routes = new Map<string, { departures: number; minutes: number }>();
  for (const { type, data } of appended) {
    if (type !== "FlightDeparted") continue;
    const key = `${data.origin} ${data.dest}`;
    const { departures, minutes } = routes.get(key) ?? { departures: 0, minutes: 0 };
    routes.set(key, { departures: departures + 1, minutes: minutes + data.delayMinutes! });
  }
  return [...routes].toSorted().map(([key, { departures, minutes }]) => {
    const [origin, dest] = key.split(" ");
    return { origin, dest, departures, delay_minutes: minutes };
  });
}

test("it has nothing while there is nothing", async () => {
  assert.equal(await ask(), 200);
  assert.deepEqual(await rows(), []);
});

test("its rows equal a fold over the events, and asking again changes nothing", async () => {
  await append();
  for (const _ of [1, 2]) {
    assert.equal(await ask(), 200);
    assert.deepEqual(await rows(), folded());
  }
  const worker = await api.server.beside();
  const worst = (await (await worker.fetch(ROUTES)).json()) as { delayMinutes: number }[];
  const minutes = folded().map((row) => Number(row["delay_minutes"]));
  assert.deepEqual(
    worst.map(({ delayMinutes }) => delayMinutes),
    minutes.toSorted((a, b) => b - a).slice(0, 10),
  );
});

for (const [where, what, error] of [
  ["before", "a crash between the page and the batch", /it crashed/],
  ["within", "a batch that fails after it has written rows", /CHECK constraint failed/],
] as const) {
  test(`${what} leaves everything as it was, and the next run makes it good`, async () => {
    await append();
    const [known, reached] = [await rows(), await checkpoint()];
    await assert.rejects(ask(`?fail=${where}`), error);
    assert.deepEqual([await rows(), await checkpoint()], [known, reached]);
    assert.notDeepEqual(known, folded(), "there was something to take in");
    assert.equal(await ask(), 200);
    assert.deepEqual(await rows(), folded());
  });
}

test("a batch whose answer is lost is not repeated", async () => {
  await append();
  assert.equal(await ask("?fail=after"), 200);
  assert.deepEqual(await rows(), folded());
});

test("a run that is overtaken by another takes nothing in twice", async () => {
  await append();
  assert.equal(await ask("?fail=overtaken"), 200);
  assert.deepEqual(await rows(), folded());
});

test("emptied in one batch it is built anew", async () => {
  const DB = await api.server.database("DB");
  await DB.batch([
    DB.prepare("DELETE FROM routes"),
    DB.prepare("UPDATE progress SET checkpoint = ''"),
  ]);
  assert.deepEqual(await rows(), []);
  assert.equal(await ask(), 200);
  assert.deepEqual(await rows(), folded());
});

test("the clock runs it too", async () => {
  await append();
  const worker = await api.server.beside();
  const { outcome } = await worker.scheduled({ cron: "* * * * *" });
  assert.equal(outcome, "ok");
  assert.deepEqual(await rows(), folded());
});

test("nothing is lost or doubled when workerd is killed amid a run", async () => {
  for (let round = 0; round < 3; round += 1) {
    await append();
    const before = await checkpoint();
    let end = "";
    const held = ask("?fail=held").then(
      (status) => (end = `with ${status}`),
      () => (end = "cut off"),
    );
    while (end === "" && (await checkpoint()) === before) await sleep(1);
    await api.server.kill();
    assert.equal(await held, "cut off");
    await api.server.restart();
    // Starts another run, which may be at any place.
    const run = ask().catch(() => undefined);
    await sleep(20 * Math.random());
    await api.server.kill();
    await run;
    await api.server.restart();
  }
  assert.equal(await ask(), 200);
  assert.deepEqual(await rows(), folded());
});
