// A rare type in a long stream of a server. No connection lasts long enough to find it from the beginning.

import assert from "node:assert/strict";
import { after as afterAll, before as beforeAll, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { ReadOptions } from "sillok";
import { type Server, startServer } from "../support/server.ts";
import { all } from "./check.ts";
import { Line, SECRET } from "./on-server.ts";
import { useScratch } from "./scratch.ts";

/** Five pages of large events, between two events of another type. */
const LARGE = 24;
/** The number of reads from the object before the connection breaks. */
const READS = 2;
/** Far more attempts than necessary, and few enough to see that no attempt comes further. */
const MOST_ATTEMPTS = 20;

const scratch = useScratch();
let server: Server;
beforeAll(async () => {
  const entry = fileURLToPath(import.meta.resolve("../support/held-reads.ts"));
  server = await startServer({ vars: { SILLOK_SECRET: SECRET }, entry });
});
afterAll(() => server.stop());

const control = async (path: string): Promise<Response> => fetch(new URL(path, server.url));
const reads = async (): Promise<number> => (await control("/reads")).json() as Promise<number>;

let attempts = 0;
let stuck = Promise.withResolvers<never>();

/** The result of `begin`, or an error after too many attempts. */
function unlessStuck<T>(begin: () => Promise<T>): Promise<T> {
  attempts = 0;
  stuck = Promise.withResolvers();
  return Promise.race([begin(), stuck.promise]);
}

/** A connection that breaks after a few reads from the object. */
const cutSoon: Line["faults"][number] = async (send) => {
  attempts += 1;
  // An error thrown here would count as one more failed request.
  if (attempts > MOST_ATTEMPTS) stuck.reject(new Error("it does not come any further"));
  await control(`/hold?reads=${READS}`);
  const held = (await reads()) + READS + 1;
  const response = await send();
  const reader = response.body?.getReader();
  const [chunks, decoder] = [new Array<Uint8Array>(), new TextDecoder()];
  let [text, isOver] = ["", false];
  const take = async (): Promise<void> => {
    for (;;) {
      const { value } = (await reader?.read()) ?? {};
      if (value === undefined) return;
      chunks.push(value);
      text += decoder.decode(value, { stream: true });
      if (text.includes('"Rare"')) return;
    }
  };
  const isHeld = async (): Promise<void> => {
    while (!isOver && (await reads()) < held) await sleep(5);
  };
  await Promise.race([take().catch(() => undefined), isHeld()]);
  isOver = true;
  await reader?.cancel().catch(() => undefined);
  await control("/go");
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const chunk = chunks.shift();
    if (chunk === undefined) controller.error(new TypeError("terminated"));
    else controller.enqueue(chunk);
  };
  const body = new ReadableStream({ pull }, { highWaterMark: 0 });
  return new Response(body, { status: response.status, headers: response.headers });
};

test("a rare type is reached, though every connection is cut after little progress", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server, [cutSoon]);
  const writer = new Line(server).connect(sillok, { token: line.token });
  await writer.append("s", { type: "Rare" });
  const data = "x".repeat(1_000_000);
  for (let n = 0; n < LARGE; n += 1) await writer.append("s", { type: "Large", data });
  await writer.append("s", { type: "Rare" });
  const store = line.connect(sillok, { retries: 2 });

  const following = store.subscribe("s", { type: "Rare", after: 1 });
  const next = await unlessStuck(() => following.next()).finally(() => following.return(undefined));
  assert.equal(next.value?.version, LARGE + 2);
  assert.ok(attempts > 2, `cut ${attempts} times`);

  for (const [options, expected] of [
    [{ from: 2 }, [LARGE + 2]],
    [{ direction: "backward", to: LARGE + 1 }, [1]],
  ] as [ReadOptions, number[]][]) {
    const found = await unlessStuck(() => all(store.read("s", { type: "Rare", ...options })));
    assert.deepEqual(
      found.map(({ version }) => version),
      expected,
    );
    assert.ok(attempts > 2, `cut ${attempts} times`);
  }
});
