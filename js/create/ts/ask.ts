import { isCancel, select, text } from "@clack/prompts";

import { projectOf } from "./folder.ts";
import { Mistake } from "./mistake.ts";
import { TEMPLATE_NAMES, type TemplateName, TEMPLATES } from "./templates.ts";

/** The user has ended the program at a question. */
export class Cancelled extends Error {}

/** Asks for the name of the project, until it is valid. */
export async function askName(): Promise<string> {
  const name = await text({
    message: "The name of the project, and of its folder",
    placeholder: "my-app",
    defaultValue: "my-app",
    validate: (name) => mistakeIn(() => projectOf(name || "my-app")),
  });
  if (isCancel(name)) throw new Cancelled();
  return name;
}

/** Asks for the template. */
export async function askTemplate(): Promise<TemplateName> {
  const template = await select({
    message: "The template",
    options: TEMPLATE_NAMES.map((name) => ({ value: name, label: name, hint: TEMPLATES[name] })),
  });
  if (isCancel(template)) throw new Cancelled();
  return template;
}

/** The message of the mistake that a check finds. */
function mistakeIn(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof Mistake) return error.message;
    throw error;
  }
}
