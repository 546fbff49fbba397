/**
 * examples/delays, and the same in Rust, with real input. Every event reaches the feed once, the documents are the sums over
 * the file, and each append of the reactor takes effect once.
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Api, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { assertGapless, assertInOrder, feedOf } from "../support/feed.ts";
import { flights, imported, importFlights, lengths } from "../support/flights.ts";

const lines = await flights();
const EVENTS = 1500;
const AIRPORTS = documentsOf(lines);
/** The numbers of events after which workerd is killed. */
const KILLS = [200, 600, 1000];

/** The expected documents, computed in another way: airport by airport, not event by event. */
function documentsOf(flown: typeof lines) {
  const airports = new Set(flown.flatMap(({ data }) => [data.origin, data.dest]));
  const minutes = (of: typeof lines) => of.reduce((sum, { data }) => sum + data.delayMinutes!, 0);
  const documents = [...airports].toSorted().map((key) => {
    const at = (type: string, end: "origin" | "dest") =>
      flown.filter((line) => line.type === type && line.data[end] === key);
    const [left, came] = [at("FlightDeparted", "origin"), at("FlightArrived", "dest")];
    const cancelled = at("FlightCancelled", "origin").length;
    const counts = [left.length, came.length, cancelled];
    const document = {
      departures: left.length,
      departureDelayMinutes: minutes(left),
      arrivals: came.length,
      arrivalDelayMinutes: minutes(came),
      cancelled,
    };
    return { counts, keyed: { key, document } };
  });
  return documents
    .filter(({ counts }) => counts.some((count) => count > 0))
    .map(({ keyed }) => keyed);
}

/** The events of the feed that are not from the file: the reactions of the Worker in Rust. */
interface Reactions {
  readonly count: number;
  check(flights: any[], reactions: any[]): void;
}

const NO_REACTIONS: Reactions = {
  count: 0,
  check: (_, reactions) => assert.deepEqual(reactions, []),
};

/**
 * A warning for each flight that left half an hour late. It is in the stream of the destination's desk, and its cause is the
 * departure.
 */
const WARNINGS: Reactions = {
  count: lines.filter(isLate).length,
  check(flights, reactions) {
    const expected = flights.filter(isLate).map(({ id, data: { flight, dest, delayMinutes } }) => ({
      stream: `desk-${dest}`,
      type: "LateFlightExpected",
      data: { flight, delayMinutes },
      causationId: id,
    }));
    const found = reactions.map(({ stream, type, data, metadata: { causationId } }) => ({
      stream,
      type,
      data,
      causationId,
    }));
    assert.deepEqual(found.toSorted(byCause), expected.toSorted(byCause));
  },
};

function byCause(one: { causationId: string }, other: { causationId: string }): number {
  return one.causationId < other.causationId ? -1 : 1;
}

function isLate({ type, data }: { type: string; data: { delayMinutes?: number } }): boolean {
  return type === "FlightDeparted" && data.delayMinutes! >= 30;
}

async function assertWholeFeed(api: Api, reactions: Reactions): Promise<void> {
  const { events } = await feedOf(api, EVENTS + reactions.count);
  assert.deepEqual(
    events.map(({ position }) => position),
    Array.from({ length: EVENTS + reactions.count }, (_, place) => place + 1),
  );
  assertGapless(events);
  const ofFile = events.filter(({ stream }) => stream.startsWith("plane-"));
  assertInOrder(ofFile, lengths(lines));
  reactions.check(
    ofFile,
    events.filter((event) => !ofFile.includes(event)),
  );
}

/** The number of the journal's events. This request is faster than a read of the events. */
async function endOfJournal(api: Api): Promise<number> {
  const { partitions } = (await api.request("/v1/journal")).json;
  return partitions.reduce((sum: number, { end }: any) => sum + end, 0);
}

/** Waits until every consumer has handled everything, also the events that other consumers appended. */
async function quiet(api: Api): Promise<void> {
  const { consumers } = (await api.request("/v1/consumers")).json;
  for (const { name } of [...consumers, ...consumers]) {
    assert.equal((await settled(api, name)).deadLetters, 0);
  }
}

async function assertDocuments(api: Api): Promise<void> {
  const documents: unknown[] = [];
  let path: string | null = "/v1/projections/delays/documents?limit=20";
  while (path !== null) {
    const reply = await api.request(path);
    assert.equal(reply.status, 200, reply.text);
    documents.push(...reply.json.documents);
    path = reply.json.next;
  }
  assert.deepEqual(documents, AIRPORTS);
}

async function rebuild(api: Api): Promise<void> {
  const reply = await api.request("/v1/consumers/delays/rebuild", { method: "POST" });
  assert.equal(reply.status, 200, reply.text);
  assert.notEqual(reply.json.rebuild, null, reply.text);
}

for (const [folder, reactions] of [
  ["delays", NO_REACTIONS],
  ["delays-rust", WARNINGS],
] as const) {
  const config = fileURLToPath(new URL(`../../examples/${folder}/wrangler.toml`, import.meta.url));
  describe(`examples/${folder}`, () => {
    const api = useApi({ config }, (api) => imported(api.server.url));

    test("the feed has every event once, at the positions from 1 on, each stream in its order", async () => {
      assert.equal(lines.length, EVENTS);
      await assertWholeFeed(api, reactions);
    });

    test("the documents are the sums over the file", async () => {
      assert.ok(AIRPORTS.length > 50, `${AIRPORTS.length} airports`);
      await quiet(api);
      await assertDocuments(api);
    });

    test("built anew they are the same, and while that lasts the old ones are read", async () => {
      await rebuild(api);
      await assertDocuments(api);
      await quiet(api);
      await assertDocuments(api);
    });

    test("so it is when workerd was killed during the import and the rebuild", async (t) => {
      const killed = new Api();
      await killed.start({ config });
      t.after(() => killed.stop());
      for (const count of KILLS) {
        const importing = importFlights(killed.server.url);
        while ((await endOfJournal(killed)) < count) await sleep(5);
        await killed.server.kill();
        assert.equal(await importing, false, "the import was cut off");
        await killed.server.restart();
      }
      await imported(killed.server.url);
      await quiet(killed);
      await assertWholeFeed(killed, reactions);
      await assertDocuments(killed);
      await rebuild(killed);
      await killed.server.kill();
      await killed.server.restart();
      await quiet(killed);
      await assertDocuments(killed);
    });
  });
}
