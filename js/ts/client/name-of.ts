// The names of consumers in requests.

import { invalid } from "../store/invalid.js";

/** A definition, or its name. */
export type Named = string | { readonly name: string };

/** The name of a consumer, given by its name or its definition. Errors name the argument `field`. */
export function nameOf(consumer: unknown, field: string): string {
  const isDefinition = typeof consumer === "object" && consumer !== null;
  const name = isDefinition ? (consumer as { name?: unknown }).name : consumer;
  if (typeof name !== "string" || name === "" || !name.isWellFormed()) {
    throw invalid(field, `must be a ${field}, or its name`);
  }
  if (name === "." || name === "..") throw invalid(field, "cannot be sent over HTTP as this name");
  return name;
}
