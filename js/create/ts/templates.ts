/** The templates, by their names. Each is a folder of the package. */
export const TEMPLATES = {
  worker: "a Cloudflare Worker: an aggregate with commands, documents, tests and the console",
  app: "the same with Hono, and a page in React that shows the documents live",
  node: "one file for Node: an aggregate, documents and a SQLite file",
} as const;

/** The name of a template. */
export type TemplateName = keyof typeof TEMPLATES;

/** The names of all templates. */
export const TEMPLATE_NAMES = Object.keys(TEMPLATES) as TemplateName[];

/** Whether a text is the name of a template. */
export const isTemplateName = (text: string): text is TemplateName =>
  Object.hasOwn(TEMPLATES, text);
