// Measures a durable append to a file beside a bare prepared insert, with the same driver and the same durability. Run it after
// a build: node benches/file-append/run.mjs [folder] [rounds]
//
// The candidates take turns in several rounds, each on a file of its own. The script prints the medians of the elapsed time and
// of the processor time. The processor time does not depend on the disk, and depends little on other programs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { EventStore } from "../../js/dist/sillok.js";

const ROUNDS = Number(process.argv[3] ?? 10);
const APPENDS = 200;
const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), "sillok-bench-"));
const data = { amount: 100, currency: "EUR", note: "a deposit" };

/** A table that somebody would write by hand, and its insert. */
function bare(path, constraint) {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON");
  database.exec(
    `CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL, id TEXT NOT NULL,
      type TEXT NOT NULL, time INTEGER NOT NULL, data TEXT NOT NULL ${constraint}) STRICT`,
  );
  const columns = "stream, version, id, type, time, data";
  const insert = database.prepare(`INSERT INTO events (${columns}) VALUES (?, ?, ?, ?, ?, ?)`);
  return {
    append: async (stream, version) =>
      insert.run(
        stream,
        version,
        crypto.randomUUID(),
        "Deposited",
        Date.now(),
        JSON.stringify(data),
      ),
    close: () => database.close(),
  };
}

function sillok(path, options) {
  const store = EventStore.open(path);
  return {
    append: (stream, version) =>
      store.append(stream, { type: "Deposited", data }, options(stream, version)),
    close: () => store.close(),
  };
}

const CANDIDATES = {
  "bare insert": (path) => bare(path, ""),
  "bare insert, version unique": (path) => bare(path, ", UNIQUE (stream, version)"),
  "sillok, any": (path) => sillok(path, () => ({})),
  "sillok, exact version": (path) =>
    sillok(path, (_, version) => ({ expectedVersion: version - 1 })),
  "sillok, with a key": (path) =>
    sillok(path, (stream, version) => ({ idempotencyKey: `${stream}-${version}` })),
};
const STREAMS = { "one stream": 1, "100 streams in turn": 100 };

const times = new Map();
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [streams, count] of Object.entries(STREAMS)) {
    for (const [name, open] of Object.entries(CANDIDATES)) {
      const candidate = open(join(folder, `${round}-${count}-${name}.db`));
      const [start, busy] = [performance.now(), process.cpuUsage()];
      for (let n = 0; n < APPENDS; n += 1) {
        await candidate.append(`account-${n % count}`, Math.floor(n / count) + 1);
      }
      const passed = ((performance.now() - start) * 1000) / APPENDS;
      const { user, system } = process.cpuUsage(busy);
      candidate.close();
      const key = `${streams}/${name}`;
      // The first round warms up, and does not count.
      const micros = [passed, (user + system) / APPENDS];
      if (round > 0) times.set(key, [...(times.get(key) ?? []), micros]);
    }
  }
}
rmSync(folder, { recursive: true });

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const [first] = Object.keys(CANDIDATES);
for (const streams of Object.keys(STREAMS)) {
  console.log(`\n| ${streams} | µs an append | of the bare insert's speed | busy, µs |`);
  console.log("|---|---|---|---|");
  const measured = (name) =>
    [0, 1].map((which) => median(times.get(`${streams}/${name}`).map((of) => of[which])));
  const [bareMicros] = measured(first);
  for (const name of Object.keys(CANDIDATES)) {
    const [passed, busy] = measured(name);
    const speed = (bareMicros / passed).toFixed(2);
    console.log(`| ${name} | ${passed.toFixed(1)} | ${speed} | ${busy.toFixed(1)} |`);
  }
}
