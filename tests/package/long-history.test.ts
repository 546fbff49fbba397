// The state of a long history: on a file and in a page. It is loaded in bounded memory, and a load that is cut off is continued.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { chromium } from "playwright-core";

import {
  EVENTS,
  INTERIM,
  LONGEST,
  MOST_MEMORY_GROWTH,
  STATE_SHA256,
} from "../support/long-history.ts";
import { bundle } from "./bundle.ts";
import type { Found } from "./long-history-program.ts";
import { Program } from "./program.ts";
import { useScratch } from "./scratch.ts";
import { serve } from "./static-server.ts";

/** Before this event the first load is cut off. The load has stored its last snapshot before. */
const CUT_OFF = EVENTS * 0.6 + 5000;
const CONTINUED_FROM = CUT_OFF - (CUT_OFF % INTERIM);

/** Fills a file, or uses it. Prints the growth of its memory, and what it has found. */
const ON_FILE = `
  import { EventStore } from "sillok";
  import { fill, use } from "./history.js";
  const [, , path, events, end] = process.argv;
  const memory = () => process.resourceUsage().maxRSS * 1024;
  const store = EventStore.open(path);
  const before = memory();
  const seen = (folded) => {
    if (String(folded) === end) process.kill(process.pid, "SIGKILL");
  };
  const found = events === "0" ? await use(store, seen) : await fill(store, Number(events));
  store.close();
  console.log(JSON.stringify({ ...found, grown: memory() - before }));
`;

/** The growth of the memory is that of the load. */
const IN_PAGE = (events: number) => `
  import { EventStore } from "./sillok.js";
  import { fill, use } from "./history.js";
  const run = async () => {
    const store = new EventStore();
    await fill(store, ${events});
    const memory = () => performance.memory.usedJSHeapSize;
    const before = memory();
    let most = before;
    const found = await use(store, (folded) => {
      if (folded % 1000 === 0) most = Math.max(most, memory());
    });
    return { ...found, grown: most - before };
  };
  globalThis.result = run();
`;

const scratch = useScratch(async (scratch) => {
  const program = `${import.meta.dirname}/long-history-program.ts`;
  await bundle(program, scratch.at("history.js"), "esm", "sillok");
  await scratch.write("on-file.js", ON_FILE);
  await bundle(program, scratch.at("page/history.js"), "esm", "./sillok.js");
  await scratch.run("cp", [
    "-r",
    `${scratch.at("node_modules/sillok/dist")}/.`,
    scratch.at("page"),
  ]);
  await scratch.write("page/main.js", IN_PAGE(EVENTS));
  await scratch.write("page/index.html", '<script type="module" src="./main.js"></script>');
});

type Grown = Found & { readonly grown: number };

/** Checks what a program has found after it has folded this number of events. */
function isRight(t: TestContext, found: Grown, folded: number): void {
  const { grown, ...rest } = found;
  const right = {
    version: EVENTS,
    hash: STATE_SHA256,
    folded,
    foldedByCommand: 1,
    next: EVENTS + 1,
  };
  assert.deepEqual(rest, right);
  isBounded(t, "loading", grown);
}

function isBounded(t: TestContext, what: string, grown: number): void {
  t.diagnostic(`${what}: the memory grew by ${Math.round(grown / 1024 / 1024)} MiB at most`);
  assert.ok(grown < MOST_MEMORY_GROWTH, `${what}: ${grown} bytes`);
}

test(
  `on a file, the state of ${EVENTS} events is loaded in bounded memory, and a load that is cut off is continued`,
  LONGEST,
  async (t) => {
    const run = (events: number, end = "") =>
      new Program(scratch.at("on-file.js"), scratch.at("history.db"), `${events}`, end);
    const finished = async (program: Program): Promise<Grown> => {
      await program.endedWell();
      return JSON.parse(program.printed.text);
    };
    isBounded(t, "appending", (await finished(run(EVENTS))).grown);
    const killed = run(0, `${CUT_OFF}`);
    await killed.closed;
    assert.equal(killed.child.signalCode, "SIGKILL", killed.printed.errors);
    isRight(t, await finished(run(0)), EVENTS - CONTINUED_FROM);
  },
);

test(`in a page, the state of ${EVENTS} events is loaded in bounded memory`, LONGEST, async (t) => {
  const pages = await serve(scratch.at("page"));
  t.after(() => pages.stop());
  const browser = await chromium.launch({
    executablePath: process.env["CHROME"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking", "--enable-precise-memory-info"],
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(pages.url);
  isRight(t, await page.evaluate<Grown>("globalThis.result"), EVENTS);
});
