// Measures in workerd several ways to store a commit: node benches/stored-format/run.mjs
//
// The candidates take turns in several rounds of the same work, each round on objects of its own. The script prints the
// medians. A clock inside an object stands still while the object works, so the time is measured around the request.
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const ROUNDS = 10;
const WORKS = [
  { work: "single", count: 2000, per: 2000, unit: "µs a commit of 1" },
  { work: "batch", count: 20, per: 20, unit: "µs a commit of 1,000" },
  { work: "read", count: 0, per: 20, unit: "µs per 1,000 events read" },
];

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    scriptPath: fileURLToPath(new URL("object.js", import.meta.url)),
    compatibilityDate: "2026-11-17",
    durableObjects: { CANDIDATE: { className: "Candidate", useSQLite: true } },
  }),
);
const url = await miniflare.ready;
const names = await (await fetch(url)).json();

/** The same names, beginning with another one in each round, because the first one pays for the shared start. */
const turned = (names, round) => names.map((_, place) => names[(place + round) % names.length]);

async function send(object, message) {
  const start = performance.now();
  const response = await fetch(new URL(encodeURIComponent(object), url), {
    method: "POST",
    body: JSON.stringify(message),
  });
  const answer = await response.json();
  return { ...answer, micros: (performance.now() - start) * 1000 };
}

const times = new Map();
const facts = new Map();
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const { work, count, per } of WORKS) {
    for (const name of turned(names, round)) {
      // The events to read are the ones that `batch` wrote.
      const object = `${name}-${work === "single" ? "single" : "batch"}-${round}`;
      const { micros, rows, bytes } = await send(object, { name, work, count });
      const key = `${name}/${work}`;
      // The first round warms up, and does not count.
      if (round > 0) times.set(key, [...(times.get(key) ?? []), micros / per]);
      facts.set(key, { rows: rows === undefined ? undefined : rows / count, bytes });
    }
  }
}
await miniflare.dispose();

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
console.log(
  `| candidate | ${WORKS.map(({ unit }) => unit).join(" | ")} | rows for 1 / for 1,000 | KiB for 20,000 events |`,
);
console.log(`|---|${WORKS.map(() => "---|").join("")}---|---|`);
for (const name of names) {
  const cells = WORKS.map(({ work }) => median(times.get(`${name}/${work}`)).toFixed(0));
  const rows = ["single", "batch"].map((work) => facts.get(`${name}/${work}`).rows).join(" / ");
  const bytes = (facts.get(`${name}/batch`).bytes / 1024).toFixed(0);
  console.log(`| ${name} | ${cells.join(" | ")} | ${rows} | ${bytes} |`);
}
