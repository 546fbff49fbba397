// Writes the pages of the site that come from other parts of the repository: the files to which documents link, and the
// references of the npm package and of the HTTP interface. Git ignores these pages. `cargo xtask docs` runs this script.

import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path/posix";
import { Application } from "typedoc";
import { httpReference } from "./http-reference.mjs";
import { COPIES, isPicture, pageOf, root, targetOf } from "./links.mjs";

const docs = join(root, "docs");
const read = (source) => readFileSync(join(root, source), "utf8");

/** Writes a page, which is named by its path from docs. */
function write(page, text) {
  const path = join(docs, page);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** The files to which a Markdown file links. */
function linked(source) {
  const hrefs = read(source).matchAll(/(?<!!\[[^\]]*)\]\(([^)\s]+)\)/g);
  return [...hrefs].flatMap(([, href]) => (isPicture(href) ? [] : (targetOf(source, href) ?? [])));
}

/** The page of a file: Markdown as it is, and other files as a block of code. */
function shown(source) {
  const text = read(source);
  if (source.endsWith(".md")) return text;
  const language = { ".mjs": "js" }[extname(source)] ?? extname(source).slice(1);
  return `# ${source}\n\n\`\`\`\`${language || "text"}\n${text}\n\`\`\`\`\n`;
}

/** Files outside of docs that the site shows, with or without a link. */
const ALWAYS = ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md"];

/** Copies each file outside of docs to which a document leads. */
function copyLinked() {
  rmSync(join(docs, COPIES), { recursive: true, force: true });
  rmSync(join(docs, API), { recursive: true, force: true });
  const own = globSync("**/*.md", { cwd: docs, exclude: ["node_modules"] });
  const found = new Set([...own.map((page) => `docs/${page}`), ...ALWAYS]);
  // A set also visits the entries that are added meanwhile.
  for (const source of found) {
    if (source.endsWith(".md")) for (const target of linked(source)) found.add(target);
    if (!source.startsWith("docs/")) write(pageOf(source), shown(source));
  }
}

/** The folder of the package's reference in docs. */
const API = "reference/api";

/** The entries of the package, and the folders of their sources. */
const ENTRIES = {
  "js/ts": "sillok",
  "js/ts/client": "sillok/client",
  "js/ts/react": "sillok/react",
  "js/ts/testing": "sillok/testing",
  worker: "sillok/worker",
  "worker/rust": "sillok/rust",
};

/** Writes the reference of the package from the types and their comments. */
async function describePackage() {
  const app = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    entryPoints: ["js/ts/index.ts", "js/ts/*/index.ts", "worker/index.ts", "worker/rust.ts"].map(
      (path) => join(root, path),
    ),
    tsconfig: join(docs, ".vitepress/tsconfig.json"),
    // The folder is emptied first.
    out: join(docs, API),
    // The lint checks the types. Here the wasm need not be built.
    skipErrorChecking: true,
    excludePrivate: true,
    excludeExternals: true,
    disableSources: true,
    readme: "none",
    hideBreadcrumbs: true,
    hidePageHeader: true,
    entryFileName: "index",
    useHTMLEncodedBrackets: true,
    sanitizeComments: true,
    logLevel: "Error",
    name: "The npm package",
  });
  const project = await app.convert();
  if (project === undefined) throw new Error("TypeDoc cannot read the types of the package");
  for (const entry of project.children) entry.name = ENTRIES[entry.name];
  await app.generateOutputs(project);
}

copyLinked();
await describePackage();
const description = JSON.parse(read("worker/src/http/openapi.json"));
write("reference/http.md", httpReference(description));
