/** A read model in D1: the routes that planes flew, by what they were late. Each event takes effect exactly once. */

import { EventStore, type FeedEvent } from "sillok";

export interface Env {
  DB: D1Database;
  SILLOK: Fetcher;
  SILLOK_TOKEN?: string;
}

type Departed = {
  type: "FlightDeparted";
  data: { origin: string; dest: string; delayMinutes: number };
};

/** The events of one batch. */
const PAGE = 500;

/** A whole page in one statement, however many events it has. By `WHERE true` the first ON is known to be no join's. */
const ADD = `
  INSERT INTO routes (origin, dest, departures, delay_minutes)
  SELECT value ->> 'origin', value ->> 'dest', 1, value ->> 'delayMinutes' FROM json_each(?1)
  WHERE true
  ON CONFLICT (origin, dest) DO UPDATE SET
    departures = departures + 1, delay_minutes = delay_minutes + excluded.delay_minutes`;

/** Fails, and the batch with it, when another run has moved the checkpoint since: it may not be NULL. */
const MOVE = "UPDATE progress SET checkpoint = CASE checkpoint WHEN ?1 THEN ?2 END";

const WORST = `
  SELECT origin, dest, departures, delay_minutes AS delayMinutes FROM routes
  ORDER BY delay_minutes DESC, origin, dest LIMIT 10`;

/** Takes in what has happened since the last time, page by page. */
async function catchUp({ DB, SILLOK, SILLOK_TOKEN }: Env): Promise<void> {
  const store = EventStore.connect("https://sillok", {
    fetch: (url, request) => SILLOK.fetch(url, request),
    token: SILLOK_TOKEN,
  });
  for (;;) {
    const before = await checkpointOf(DB);
    const after = before === "" ? undefined : before;
    const page: FeedEvent<Departed>[] = [];
    for await (const event of store.readAll<Departed>({
      types: ["FlightDeparted"],
      after,
      limit: PAGE,
    })) {
      page.push(event);
    }
    const last = page.at(-1);
    if (last === undefined) return;
    const flights = JSON.stringify(page.map(({ data }) => data));
    try {
      // One transaction: D1 writes the rows and the checkpoint, or neither.
      await DB.batch([
        DB.prepare(ADD).bind(flights),
        DB.prepare(MOVE).bind(before, last.checkpoint),
      ]);
    } catch (error) {
      // If the checkpoint has moved, another run was faster, or only the answer was lost: continue from there.
      if ((await checkpointOf(DB)) === before) throw error;
    }
  }
}

async function checkpointOf(db: D1Database): Promise<string> {
  const checkpoint = await db
    .prepare("SELECT checkpoint FROM progress")
    .first<string>("checkpoint");
  return checkpoint ?? "";
}

export default {
  async scheduled(_controller, env) {
    await catchUp(env);
  },

  /** `GET /routes`: the ten routes with the most minutes, of all that has come to the feed. */
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" || pathname !== "/routes") {
      return new Response("not found\n", { status: 404 });
    }
    await catchUp(env);
    const { results } = await env.DB.prepare(WORST).all();
    return Response.json(results);
  },
} satisfies ExportedHandler<Env>;
