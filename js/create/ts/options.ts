import { parseArgs } from "node:util";

import { Mistake } from "./mistake.ts";
import { isTemplateName, TEMPLATE_NAMES, type TemplateName } from "./templates.ts";

/** What the user asks for on the command line. A missing name or template must be asked. */
export interface Options {
  readonly name: string | undefined;
  readonly template: TemplateName | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

const KNOWN = {
  template: { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

/**
 * Reads the command line.
 *
 * @throws {@link Mistake} for an unknown option, an unknown template, and more words than a name and a template.
 */
export function parseOptions(words: readonly string[]): Options {
  const { positionals, tokens } = parseArgs({
    args: [...words],
    options: KNOWN,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const [name, swallowed, ...others] = positionals;
  if (others.length > 0) throw new Mistake(`\`${others[0]}\` is too much: give one name`);
  // npm removes `--template` if no `--` is before it, and passes only its value.
  let template = swallowed;
  const flags = { help: false, version: false };
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    if (token.name === "template") template = token.value ?? "";
    else if (token.name === "help" || token.name === "version") flags[token.name] = true;
    else throw new Mistake(`\`${token.rawName}\` is unknown; the option is --template`);
  }
  if (template === undefined || isTemplateName(template)) return { name, template, ...flags };
  const wrong = template === "" ? "--template has no value" : `\`${template}\` is no template`;
  throw new Mistake(`${wrong}; the templates are ${TEMPLATE_NAMES.join(", ")}`);
}
