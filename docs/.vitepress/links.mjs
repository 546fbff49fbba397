// Documents link to files of the repository, as GitHub shows them. The site has a page for each of these files.

import { existsSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path/posix";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** The folder in docs with a page for each file that a document links to and that is outside of docs. */
export const COPIES = "repository";

/** The end of the name of a page that shows a file that is not Markdown. */
const CODE = ".source.md";

// Pages are named by their paths from docs, and files by their paths from the root.

/** The file of the repository that a page shows. */
function sourceOf(page) {
  if (!page.startsWith(`${COPIES}/`)) return `docs/${page}`;
  const path = page.slice(COPIES.length + 1);
  return path.endsWith(CODE) ? path.slice(0, -CODE.length) : path;
}

/** The page that shows a file of the repository. */
export function pageOf(source) {
  if (source.startsWith("docs/")) return source.slice("docs/".length);
  return `${COPIES}/${source}${source.endsWith(".md") ? "" : CODE}`;
}

/** The path of a link, without its anchor and its parameters. */
const pathOf = (href) => href.split(/[#?]/)[0];

/** The file of the repository to which a link of another file leads, or `undefined` if it leads to no file. */
export function targetOf(source, href) {
  const path = pathOf(href);
  if (path === "" || /^[a-z]+:|^\//.test(path)) return undefined;
  const target = join(dirname(source), decodeURI(path));
  if (!existsSync(join(root, target))) return undefined;
  return statSync(join(root, target)).isDirectory() ? join(target, "README.md") : target;
}

/** Whether the link is to a picture. Pictures are in docs. */
export const isPicture = (href) => /\.(svg|png)$/.test(pathOf(href));

/** The link from a page to the page of the file to which the link of its source leads. */
function linkBetween(page, href) {
  const target = targetOf(sourceOf(page), href);
  if (target === undefined) return href;
  const to = isPicture(href) ? target.slice("docs/".length) : pageOf(target);
  const path = relative(dirname(page), to);
  return (path.startsWith(".") ? path : `./${path}`) + href.slice(pathOf(href).length);
}

/** A plugin of markdown-it that changes the links and the pictures of each page. */
export function repositoryLinks(markdown) {
  markdown.core.ruler.push("repository-links", ({ tokens, env }) => {
    if (env.relativePath === undefined) return;
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const name = { link_open: "href", image: "src" }[token.type];
      if (name === undefined) continue;
      token.attrSet(name, linkBetween(env.relativePath, token.attrGet(name)));
    }
  });
}
