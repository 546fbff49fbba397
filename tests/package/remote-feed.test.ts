// The feed and the directory of a server, followed and read over connections that fail. Every event arrives once.

import assert from "node:assert/strict";
import { after as afterAll, before as beforeAll, test } from "node:test";

import type { SubscribeAllOptions } from "sillok";
import { type Server } from "../support/server.ts";
import { all, count } from "./check.ts";
import { before, cutOff, Line, proxy, serverWithTokens, well } from "./on-server.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
let server: Server;
beforeAll(async () => {
  server = await serverWithTokens();
});
afterAll(() => server.stop());

test("a feed that is cut off anywhere is gone on with, with no hole and no repeat", async () => {
  const sillok = await scratch.sillok();
  const cut = (bytes: number) => async (send: () => Promise<Response>) =>
    cutOff(await send(), bytes);
  const faults = [cut(1), before, cut(3000), proxy(502), cut(5001), cut(20), cut(9000)];
  const line = new Line(server, faults);
  const writer = new Line(server).connect(sillok, { token: line.token });
  const following = (async () => {
    const seen = new Map<string, number>();
    let events = 0;
    for await (const { stream, version } of line.connect(sillok).subscribe({ all: true })) {
      assert.equal(version, (seen.get(stream) ?? 0) + 1, stream);
      seen.set(stream, version);
      events += 1;
      if (events === 180) break;
    }
    return seen;
  })();
  const data = "x".repeat(300);
  for (const _ of count(1, 20)) {
    const streams = ["a-1", "b-1", "c-1"].map((stream) =>
      writer.append(
        stream,
        count(1, 3).map(() => ({ type: "A", data })),
      ),
    );
    await Promise.all(streams);
  }
  const seen = await following;
  assert.deepEqual([...seen.values()], [60, 60, 60]);
  assert.ok(line.requests.length > 5, `${line.requests.length} requests`);
  const broken = new Line(server, [cut(2000), cut(20_000), before, cut(9000), well]);
  const read = await all(broken.connect(sillok, { token: line.token }).readAll());
  const events = new Set(read.map(({ stream, version }) => `${stream} ${version}`));
  assert.deepEqual([read.length, events.size], [180, 180]);
});

/** A server that answers each request with the next of these answers, and records the requests. */
function scripted(...answers: (() => Response)[]) {
  const asked: string[] = [];
  const fetch = (url: string) => {
    asked.push(url.replace("https://h/v1/", ""));
    const answer = answers[asked.length - 1];
    return answer === undefined ? assert.fail(`asked again: ${url}`) : Promise.resolve(answer());
  };
  return { asked, fetch };
}

const as = (type: string, body: string) => () =>
  new Response(body, { headers: { "Content-Type": type } });
const messages = (body: string) => as("text/event-stream", body);
const json = (body: unknown) => as("application/json", JSON.stringify(body));
const event = (position: number) => `{"position":${position},"checkpoint":"${position}.0"}`;
const line = (position: number) => `${event(position)}\n`;
const message = (position: number) => `id: ${position}.0\ndata: ${event(position)}\n\n`;

/** The same answer, broken off. */
function broken(answer: () => Response): () => Response {
  return () => {
    const { headers, body } = answer();
    const reader = body?.getReader();
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const { value } = (await reader?.read()) ?? {};
      if (value === undefined) controller.error(new TypeError("terminated"));
      else controller.enqueue(value);
    };
    return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), { headers });
  };
}

test("requests ask for the wanted events, and later requests continue from the last checkpoint", async () => {
  const { EventStore } = await scratch.sillok();
  const { asked, fetch } = scripted(
    messages("retry: 1000\n\n:\n\n"),
    messages(`${message(1)}:\n\n${message(4)}`),
    // Only progress: the server found no event.
    messages("id: 7.3\n\n"),
    broken(messages(`${message(8)}id: 9.0\ndata: {"pos`)),
    messages(message(9)),
  );
  const options: SubscribeAllOptions = { category: "é-", types: ["A&B", "C"], after: "0.0" };
  const seen: number[] = [];
  for await (const { position } of EventStore.connect("https://h", { fetch }).subscribe(options)) {
    seen.push(position);
    if (position === 9) break;
  }
  assert.deepEqual(seen, [1, 4, 8, 9]);
  const query = (after: string) => `events?after=${after}&category=%C3%A9-&type=A%26B&type=C`;
  assert.deepEqual(asked, ["0.0", "0.0", "4.0", "7.3", "8.0"].map(query));
});

test("all is read line by line, and after a break from the last event on", async () => {
  const { EventStore } = await scratch.sillok();
  const lines = (body: string) => as("application/x-ndjson", body);
  const { asked, fetch } = scripted(
    broken(lines(line(1) + line(2) + '{"position"')),
    broken(lines(line(3))),
    // Only progress: the server found no event.
    broken(lines('{"checkpoint":"4.7"}\n')),
    lines(line(5)),
    broken(lines(line(1) + line(2))),
  );
  const store = EventStore.connect("https://h", { fetch });
  const read = await all(store.readAll({ types: ["A"], limit: 10 }));
  const positions = read.map(({ position }) => position);
  assert.deepEqual(positions, [1, 2, 3, 5]);
  const query = (after: string, limit: number) =>
    `events?${after}type=A&limit=${limit}&progress=true`;
  const places = ["", "after=2.0&", "after=3.0&", "after=4.7&"];
  const expected = [10, 8, 7, 7].map((limit, place) => query(places[place] ?? "", limit));
  assert.deepEqual(asked, expected);
  // The limit was reached before the break.
  assert.equal((await all(store.readAll({ limit: 2 }))).length, 2);
});

test("the directory is read page by page, from where the server says on", async () => {
  const { EventStore } = await scratch.sillok();
  const entry = (stream: string) => ({ stream, version: 1, time: "2026-11-23T01:02:03.456Z" });
  const { asked, fetch } = scripted(
    json({ streams: [entry("a-1")], next: "/v1/streams?category=a&after=a-%C3%A9&limit=3" }),
    json({ streams: [], next: "/v1/streams?category=a&after=a-z&limit=3" }),
    // Only the server can read where it continues.
    json({ streams: [], next: "/v1/streams?category=a&next=Zm9v_-&limit=3" }),
    json({ streams: [entry("a-zz"), entry("a-zzz")], next: "/v1/streams?after=a-zzz" }),
    json({ streams: [], next: null }),
    json({ events: [] }),
    json({ streams: [], next: "/v1/streams?limit=3" }),
  );
  const store = EventStore.connect("https://h", { fetch });
  const found = await all(store.streams({ category: "a", prefix: "", limit: 3 }));
  const names = found.map(({ stream }) => stream);
  assert.deepEqual(names, ["a-1", "a-zz", "a-zzz"]);
  const expected = [
    "limit=3",
    "after=a-%C3%A9&limit=2",
    "after=a-z&limit=2",
    "next=Zm9v_-&limit=2",
  ];
  assert.deepEqual(
    asked,
    expected.map((query) => `streams?category=a&${query}`),
  );
  assert.deepEqual(await all(store.streams()), []);
  await assert.rejects(all(store.streams()), { code: "invalid_answer" });
  await assert.rejects(all(store.streams()), { code: "invalid_answer" }, "it would begin anew");
});
