import type { EventStore } from "sillok";

import type { Behaviours, Sillok } from "./behaviour.ts";
import { all, rejection, same } from "./check.ts";

/** A store whose stream `s` has the commits 1, 2 to 3, and 4. */
async function filled({ EventStore }: Sillok): Promise<EventStore> {
  const store = new EventStore();
  await store.append("s", { type: "Opened", data: { owner: "세종" } }, { idempotencyKey: "é" });
  await store.append("s", [{ type: "A", metadata: { m: "\n\u0000" } }, { type: "B" }]);
  await store.append("s", { type: "Closed", id: "my-id" });
  return store;
}

/** A stream as long as two pages of a verification. */
async function long({ EventStore }: Sillok): Promise<EventStore> {
  const store = new EventStore();
  const large = { type: "Large", data: "x".repeat(1_000_000) };
  for (let n = 0; n < 6; n += 1) await store.append("s", large);
  return store;
}

/** The same text with another character at this place. */
function altered(text: string, place: number): string {
  const other = text[place] === "0" ? "1" : "0";
  return text.slice(0, place) + other + text.slice(place + 1);
}

export const exporting: Behaviours = {
  async "exported commits prove themselves, in every form that lines have"(sillok) {
    const store = await filled(sillok);
    const verified = await store.verify("s");
    const lines = await all(store.exportCommits("s"));
    same(lines.length, 3);
    async function* later() {
      yield* lines;
    }
    const text = lines.map((line) => `${line}\n`).join("");
    for (const form of [lines, text, new Set(lines), later(), store.exportCommits("s")]) {
      same(await sillok.verifyCommits(form), verified);
    }
    same(await sillok.verifyCommits([]), await store.verify("empty"));
    same(await all(store.exportCommits("empty")), []);
  },

  async "a line has all that is hashed"(sillok) {
    const [first = "", second = ""] = await all((await filled(sillok)).exportCommits("s"));
    const { events, hash, time, ...rest } = JSON.parse(first);
    same(rest, { stream: "s", firstVersion: 1, version: 1, key: "é", keyOrigin: "client" });
    same([typeof time, /^[0-9a-f]{64}$/.test(hash)], ["number", true]);
    same(JSON.parse(events)[0].data, { owner: "세종" });
    const { firstVersion, version } = JSON.parse(second);
    same([firstVersion, version], [2, 3]);
  },

  async "one character changed anywhere is found, and the commits before it are verified"(sillok) {
    const lines = await all((await filled(sillok)).exportCommits("s"));
    const ends = [0, 1, 3];
    for (const [which, line] of lines.entries()) {
      for (let place = 0; place < line.length; place += 1) {
        const forged = lines.with(which, altered(line, place));
        const found = await sillok.verifyCommits(forged);
        const about = `character ${place} of line ${which + 1}`;
        same([found.intact, found.version, found.commits], [false, ends[which], which], about);
      }
    }
  },

  async "a line that is missing, repeated, moved or of another stream is found"(sillok) {
    const store = await filled(sillok);
    const [a = "", b = "", c = ""] = await all(store.exportCommits("s"));
    await store.append("t", { type: "Opened" });
    const [other = ""] = await all(store.exportCommits("t"));
    const cases: [lines: string[], version: number][] = [
      [[b, c], 3],
      [[a, c], 4],
      [[a, a, b], 1],
      [[a, c, b], 4],
      [[other, b, c], 3],
      [["not a commit", a], 1],
      [[a, "{}"], 2],
    ];
    for (const [lines, version] of cases) {
      const found = await sillok.verifyCommits(lines);
      same(!found.intact && found.broken.version, version, lines.join());
    }
    const verified = await store.verify("s");
    const shorter = await sillok.verifyCommits([a, b]);
    same([shorter.intact, shorter.head === verified.head], [true, false]);
  },

  async "an export begins where nothing is forgotten"(sillok) {
    const whole = await (await filled(sillok)).verify("s");
    for (const [before, commits] of [
      [1, 3],
      [2, 2],
      [3, 1],
      [4, 1],
      [5, 0],
    ] as const) {
      const store = await filled(sillok);
      const { head } = await store.verify("s");
      await store.truncate("s", { before });
      const lines = await all(store.exportCommits("s"));
      same(lines.length, before === 1 ? 3 : commits + 1);
      const found = await sillok.verifyCommits(lines);
      same(found, { ...whole, head, commits }, `before ${before}`);
    }
    const store = await filled(sillok);
    await store.delete("s");
    same(await sillok.verifyCommits(store.exportCommits("s")), await store.verify("s"));
  },

  async "a long history is verified and exported like a short one"(sillok) {
    const store = await long(sillok);
    const exporting = store.exportCommits("s");
    const first = (await exporting.next()).value;
    await store.append("s", { type: "Later" });
    const lines = [String(first), ...(await all(exporting))];
    const found = await sillok.verifyCommits(lines);
    same([lines.length, found.intact, found.version], [6, true, 6]);
    await store.append("s", { type: "Later" });
    const { intact, version, commits } = await store.verify("s");
    same([intact, version, commits], [true, 8, 8]);
  },

  async "a value that is not lines is refused"({ verifyCommits }) {
    for (const bad of [[1], [undefined], [["a"]]]) {
      const error = await rejection(verifyCommits(bad as unknown as string[]));
      const { code, field } = error as { code?: unknown; field?: unknown };
      same([code, field], ["invalid_parameter", "lines"]);
    }
  },
};
