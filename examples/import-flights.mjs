// Appends a file of events to the streams they name, through HTTP, then reads every stream back and compares.
//
//   node examples/import-flights.mjs FILE [--url http://127.0.0.1:8787] [--token TOKEN] [--writers 16]
//
// FILE is NDJSON, gzipped or not: {"stream","type","time","data"} a line. Streams are imported side by side, each
// in order and under its exact version: a run that was cut off is completed by running it again.
import { readFileSync } from "node:fs";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: "http://127.0.0.1:8787" },
    token: { type: "string" },
    writers: { type: "string", default: "16" },
  },
});
const [file] = positionals;
if (file === undefined) {
  console.error(
    "usage: node examples/import-flights.mjs FILE [--url URL] [--token TOKEN] [--writers N]",
  );
  process.exit(2);
}

/** The lines of the file by stream, in the order of the file. */
function readStreams(path) {
  const bytes = readFileSync(path);
  const streams = new Map();
  for (const text of lines(bytes)) {
    const line = JSON.parse(text);
    const known = streams.get(line.stream);
    if (known === undefined) streams.set(line.stream, [line]);
    else known.push(line);
  }
  return streams;
}

function lines(bytes) {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = (isGzip ? gunzipSync(bytes) : bytes).toString("utf8");
  return text.split("\n").filter((line) => line !== "");
}

/** What a line is as an event: when it happened is metadata, for `time` is when it was recorded. */
function toEvent({ type, time, data }) {
  return { type, data, metadata: { occurredAt: time } };
}

function toLine({ stream, type, data, metadata }) {
  return { stream, type, time: metadata.occurredAt, data };
}

async function request(path, init = {}) {
  const authorization =
    values.token === undefined ? {} : { authorization: `Bearer ${values.token}` };
  const response = await fetch(new URL(path, values.url), {
    ...init,
    headers: { ...authorization, ...init.headers },
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

const pathOf = (stream) => `/v1/streams/${encodeURIComponent(stream)}/events`;

/** Appends what the stream does not hold yet, one event after the other. */
async function importStream(stream, lines) {
  const head = await request(pathOf(stream), { method: "HEAD" });
  let version = Number(JSON.parse(head.headers.get("etag")));
  let appended = 0;
  for (const line of lines.slice(version)) {
    const condition = version === 0 ? { "if-none-match": "*" } : { "if-match": `"${version}"` };
    const headers = { "content-type": "application/json", ...condition };
    const body = JSON.stringify(toEvent(line));
    const response = await request(pathOf(stream), { method: "POST", headers, body });
    ({ version } = await response.json());
    appended += 1;
  }
  return appended;
}

/** Whether the stream, read page by page, equals its lines. */
async function equalsLines(stream, lines) {
  const events = [];
  for (let next = pathOf(stream); next !== null;) {
    const page = await (await request(next)).json();
    events.push(...page.events);
    next = page.next;
  }
  const inOrder = events.every((event, place) => event.version === place + 1);
  return inOrder && isDeepStrictEqual(events.map(toLine), lines);
}

/** Runs `work` for every stream, `writers` of them at a time, and gathers the results. */
async function forEachStream(streams, writers, work) {
  const waiting = streams.entries();
  const results = [];
  const worker = async () => {
    for (const [stream, lines] of waiting) results.push(await work(stream, lines));
  };
  await Promise.all(Array.from({ length: writers }, worker));
  return results;
}

const streams = readStreams(file);
const writers = Number(values.writers);
const started = performance.now();
const counts = await forEachStream(streams, writers, importStream);
const appended = counts.reduce((sum, count) => sum + count, 0);
const seconds = (performance.now() - started) / 1000;
console.log(`${appended} events appended to ${streams.size} streams in ${seconds.toFixed(1)} s`);

const equal = await forEachStream(streams, writers, equalsLines);
const wrong = equal.filter((isEqual) => !isEqual).length;
console.log(`${streams.size - wrong} of ${streams.size} streams equal their lines, in order`);
process.exitCode = wrong === 0 ? 0 : 1;
