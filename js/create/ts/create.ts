/** The program behind `npm create sillok`. It writes a new project from a template. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { argv, stderr, stdin, stdout } from "node:process";

import { askName, askTemplate, Cancelled } from "./ask.ts";
import { projectOf } from "./folder.ts";
import { Mistake } from "./mistake.ts";
import { type Options, parseOptions } from "./options.ts";
import { TEMPLATE_NAMES, TEMPLATES } from "./templates.ts";
import { manifestOf, writeProject } from "./write.ts";

const USAGE = `Usage: npm create sillok [NAME] -- [--template NAME]

NAME is the name of the project and of its new folder. "." is this folder.

Templates:
${TEMPLATE_NAMES.map((name) => `  ${name.padEnd(8)}${TEMPLATES[name]}`).join("\n")}

Options:
  --template NAME   the template
  -h, --help        print this text
  -v, --version     print the version
`;

/** The commands of a project that its user needs first, and what they do. */
const FIRST = {
  test: "runs the tests",
  start: "runs the program",
  dev: "starts it on this machine",
  deploy: "deploys it to Cloudflare",
} as const;

async function main(): Promise<void> {
  const options = parseOptions(argv.slice(2));
  if (options.help) stdout.write(USAGE);
  else if (options.version) stdout.write(`${version()}\n`);
  else await create(options);
}

async function create(options: Options): Promise<void> {
  if (options.name !== undefined) projectOf(options.name);
  if (!stdin.isTTY || !stdout.isTTY) checkComplete(options);
  const name = options.name ?? (await askName());
  const template = options.template ?? (await askTemplate());
  const { scripts, dependencies, devDependencies } = manifestOf(template);
  const project = projectOf(name, Object.keys({ ...dependencies, ...devDependencies }));
  writeProject(project, template);
  stdout.write(`\nCreated ${project.name} from the template ${template}. Next:\n\n`);
  if (name !== ".") stdout.write(`  cd ${name}\n`);
  stdout.write("  npm install\n");
  for (const [command, meaning] of Object.entries(FIRST)) {
    if (command in scripts) stdout.write(`  ${nextCommand(command).padEnd(16)}# ${meaning}\n`);
  }
}

/** Without a terminal, nobody can be asked. */
function checkComplete({ name, template }: Options): void {
  const missing = [...(name ? [] : ["the name"]), ...(template ? [] : ["--template"])];
  if (missing.length === 0) return;
  throw new Mistake(
    `${missing.join(" and ")} must be given, because there is no terminal to ask; for example: npm create sillok my-app -- --template worker`,
  );
}

const nextCommand = (script: string) =>
  ["test", "start"].includes(script) ? `npm ${script}` : `npm run ${script}`;

function version(): string {
  const text = readFileSync(join(import.meta.dirname, "../package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Prints the reason of a failure, and returns the exit code. */
function failed(error: unknown): number {
  if (error instanceof Cancelled) {
    stderr.write("cancelled; nothing was written\n");
    return 1;
  }
  if (!(error instanceof Error)) throw error;
  stderr.write(`error: ${error.message}\n`);
  return error instanceof Mistake ? 2 : 1;
}

try {
  await main();
} catch (error) {
  process.exitCode = failed(error);
}
