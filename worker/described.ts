// The description of a Worker's aggregates, for `GET /v1/aggregates`.

import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";

const DRAFT = "draft-2020-12";

/** A message of an aggregate. `schema` is a JSON Schema, or null if the schema cannot tell one. */
interface DescribedMessage {
  readonly type: string;
  readonly schema: unknown;
}

/** An aggregate, as callers see it. `commands` and `events` are null if the aggregate does not declare them. */
interface DescribedAggregate {
  readonly name: string;
  readonly kind: "aggregate" | "process";
  readonly stateVersion: number;
  readonly appends: "admin" | "open";
  readonly commands: readonly DescribedMessage[] | null;
  readonly events: readonly (DescribedMessage & { readonly schemaVersion: number })[] | null;
}

/** The ways in which a schema can tell its JSON Schema: Standard JSON Schema, and the method of some libraries. */
interface Telling {
  readonly "~standard"?: {
    readonly jsonSchema?: { readonly input?: (options: { readonly target: string }) => unknown };
  };
  readonly toJSONSchema?: (options: { readonly io: "input" }) => unknown;
}

/** Describes aggregates. */
export function described(aggregates: Iterable<AnyAggregate>): DescribedAggregate[] {
  return Array.from(aggregates, ({ kind, name, stateVersion, appends, commands, events }) => ({
    name,
    kind,
    stateVersion,
    appends: appends ?? "admin",
    commands: messages(commands, (schema) => ({ schema: jsonSchemaOf(schema) })),
    events: messages(events.byType, ({ schema, schemaVersion }) => ({
      schemaVersion,
      schema: jsonSchemaOf(schema),
    })),
  }));
}

function messages<T, D extends object>(
  declared: Readonly<Record<string, T>> | undefined,
  describe: (one: T) => D,
): ({ readonly type: string } & D)[] | null {
  if (declared === undefined) return null;
  return Object.entries(declared).map(([type, one]) => ({ type, ...describe(one) }));
}

/** The JSON Schema of the values that a schema takes. A schema throws where JSON Schema cannot represent it. */
function jsonSchemaOf(schema: unknown): unknown {
  const told = schema as Telling | undefined;
  try {
    const standard = told?.["~standard"]?.jsonSchema;
    if (typeof standard?.input === "function") return standard.input({ target: DRAFT });
    if (typeof told?.toJSONSchema === "function") return told.toJSONSchema({ io: "input" });
  } catch {
    return null;
  }
  return null;
}
