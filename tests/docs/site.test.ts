// Builds the documentation site, and looks at the pages that a reader gets.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import MiniSearch from "minisearch";
import { freePort } from "./dev-server.ts";
import { root } from "./fenced.ts";

let site = "";
/** The text of each page, by its path in the site, such as `guides/commands.html`. */
const pages = new Map<string, string>();

before(async () => {
  const { stdout } = await promisify(execFile)("cargo", ["xtask", "docs", "--build"], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  site = stdout.trimEnd().split("\n").at(-1) ?? "";
  for (const path of globSync("**/*.html", { cwd: site })) {
    pages.set(path, readFileSync(join(site, path), "utf8"));
  }
});

test("the navigation of every page has all sections", () => {
  const sections = [
    "Quick start",
    "The ideas in one picture",
    "Tutorial: a bank",
    "How to",
    "Reference",
    "Guarantees",
    "Compared with …",
    "Rust",
    "Internals",
  ];
  assert.ok(pages.size > 100, `${pages.size} pages`);
  for (const [path, text] of pages) {
    if (path === "404.html") continue;
    const missing = sections.filter((section) => !text.includes(`>${section}</`));
    assert.deepEqual(missing, [], path);
  }
});

test("no link of a page is dead, and each anchor exists", () => {
  const dead: string[] = [];
  for (const [path, text] of pages) {
    for (const [, href = ""] of text.matchAll(/<a [^>]*href="([^"]+)"/g)) {
      if (!/^[a-z]+:/.test(href) && !isThere(path, href)) dead.push(`${path}: ${href}`);
    }
  }
  assert.deepEqual(dead, []);
});

/** Whether the site has the page and the anchor of a link. */
function isThere(from: string, href: string): boolean {
  const [path = "", anchor] = href.split("#");
  const target = path.startsWith("/") ? path.slice(1) : join(dirname(from), path);
  const names = path === "" ? [from] : [target, `${target}.html`, join(target, "index.html")];
  const page = names.find((name) => pages.has(name));
  if (page === undefined) return existsSync(join(site, target)) && !target.endsWith("/");
  return !anchor || pages.get(page)!.includes(` id="${decodeURIComponent(anchor)}"`);
}

test("the search finds pages by words of their texts", async () => {
  const [chunk = ""] = globSync("assets/chunks/*localSearchIndex*.js", { cwd: site });
  const { default: index } = (await import(pathToFileURL(join(site, chunk)).href)) as {
    default: string;
  };
  const fields = { fields: ["title", "titles", "text"], storeFields: ["title", "titles"] };
  const search = MiniSearch.loadJSON(index, fields);
  const found = (words: string) => search.search(words).map(({ id }) => String(id).split("#")[0]);
  assert.ok(found("insufficient funds").includes("/tutorial"));
  assert.ok(found("JOURNAL_PARTITIONS").includes("/configuration"));
  assert.ok(found("useDocuments").includes("/guides/live-pages"));
  assert.ok(found("machines and drivers").includes("/repository/ARCHITECTURE"));
});

test("the reference of the package has every entry, and examples", () => {
  for (const entry of ["", "/client", "/react", "/testing", "/worker", "/rust"]) {
    assert.ok(pages.has(`reference/api/sillok${entry}/index.html`), entry);
  }
  const aggregate = pages.get("reference/api/sillok/functions/aggregate.html") ?? "";
  assert.match(aggregate, /class="language-ts/);
});

test("the HTTP reference has every operation of the description", () => {
  const { paths } = JSON.parse(readFileSync(new URL("worker/src/http/openapi.json", root), "utf8"));
  const text = pages.get("reference/http.html") ?? "";
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods as object)) {
      assert.ok(text.includes(`<code>${method.toUpperCase()} ${path}</code>`), `${method} ${path}`);
    }
  }
});

test("`cargo xtask docs` serves the site", async () => {
  const port = await freePort();
  const child = spawn("cargo", ["xtask", "docs", "--port", `${port}`], {
    cwd: root,
    stdio: "ignore",
  });
  try {
    const url = `http://127.0.0.1:${port}/tutorial`;
    let text = "";
    while (!text.includes("<html")) {
      assert.equal(child.exitCode, null);
      await sleep(200);
      text = await fetch(url).then(
        (response) => response.text(),
        () => "",
      );
    }
    const page = await fetch(`http://127.0.0.1:${port}/tutorial.md`);
    assert.match(await page.text(), /Tutorial: a bank/);
  } finally {
    const exit = once(child, "exit");
    // It would wait for the connections of this test.
    child.kill("SIGKILL");
    await exit;
  }
});
