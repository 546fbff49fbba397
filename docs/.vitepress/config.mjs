// The documentation site: `cargo xtask docs`. A dead link fails the build.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path/posix";
import { defineConfig } from "vitepress";
import { repositoryLinks, root } from "./links.mjs";

const icon = readFileSync(join(root, "www/favicon.svg"), "utf8");
const page = (text, link) => ({ text, link });
const section = (text, items) => ({ text, collapsed: true, items });

/** The decisions, by their titles. */
const decisions = readdirSync(join(root, "docs/adr"))
  .filter((name) => /^\d/.test(name))
  .map((name) => {
    const [title] = readFileSync(join(root, "docs/adr", name), "utf8").split("\n");
    return page(title.replace(/^# /, ""), `/adr/${name.slice(0, -".md".length)}`);
  });

const sidebar = [
  page("Quick start", "/guides/quick-start"),
  page("The ideas in one picture", "/ideas"),
  page("Tutorial: a bank", "/tutorial"),
  section("How to", [
    page("Send commands and retry them", "/guides/commands"),
    page("Have routes of your own", "/guides/own-routes"),
    page("Test an application", "/guides/testing"),
    page("Show live pages", "/guides/live-pages"),
    page("Give tokens", "/security"),
    page("Import events", "/guides/importing"),
    page("Change a schema", "/guides/evolution"),
    page("Rebuild documents", "/guides/projections#rebuilding"),
    page("Let aggregates agree: processes", "/guides/processes"),
    page("Set timers", "/guides/time"),
    page("Send webhooks and queue messages", "/guides/webhooks"),
    page("Build read models", "/guides/read-models"),
    page("Operate a deployment", "/guides/operating"),
    page("Find a fault", "/guides/debugging"),
    page("Append without rules", "/guides/appending"),
    page("Read", "/guides/reading"),
    page("Retry an append", "/guides/idempotency"),
    page("Follow", "/guides/following"),
    page("Project documents", "/guides/projections"),
    page("React to events", "/guides/reactors"),
    page("Connect to a server", "/guides/connecting"),
    page("Verify and forget", "/guides/verifying"),
    page("Write a store", "/guides/stores"),
  ]),
  section("Reference", [
    page("The npm package", "/reference/api/"),
    page("The HTTP interface", "/http"),
    page("HTTP: every request", "/reference/http"),
    page("Errors", "/http#limits-and-errors"),
    page("Limits", "/limits"),
    page("Prices", "/prices"),
    page("Configuration", "/configuration"),
    page("Glossary", "/glossary"),
  ]),
  section("Guarantees", [
    page("What is delivered, and how often", "/guides/delivery"),
    page("Security", "/security"),
    page("The proof of history", "/guides/verifying"),
  ]),
  page("Compared with …", "/compared"),
  page("Rust", "/rust"),
  page("Examples", "/repository/examples/README"),
  section("Internals", [
    page("Architecture", "/repository/ARCHITECTURE"),
    page("The stored format", "/format"),
    page("Contributing", "/repository/CONTRIBUTING"),
    page("Changelog", "/repository/CHANGELOG"),
    section("Decisions", [page("All decisions", "/adr/README"), ...decisions]),
  ]),
];

export default defineConfig({
  title: "Sillok",
  description: "An event store for the edge, whose history only grows.",
  lang: "en",
  head: [["link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
  outDir: join(root, "target/site"),
  cacheDir: join(root, "target/vitepress"),
  cleanUrls: true,
  // The addresses of servers that a reader starts. All other dead links fail the build.
  ignoreDeadLinks: "localhostLinks",
  markdown: { config: repositoryLinks },
  themeConfig: {
    search: {
      provider: "local",
      options: {
        miniSearch: {
          searchOptions: {
            // A guide explains a word. The references and the history only name it.
            boostDocument: (id) => (/^\/(reference|repository|adr)\//.test(id) ? 0.3 : 1),
          },
        },
      },
    },
    sidebar,
    nav: [
      page("Quick start", "/guides/quick-start"),
      page("Tutorial", "/tutorial"),
      page("Reference", "/http"),
      page("Changelog", "/repository/CHANGELOG"),
    ],
    outline: [2, 3],
  },
});
