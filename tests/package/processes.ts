// Definitions of processes without the checks of the compiler, for tests of wrong ones.

import assert from "node:assert/strict";

import type { Aggregate, AnyProcess, SillokErrorCode } from "sillok";
import { Behaviour } from "../support/process-modules.ts";
import type { Sillok } from "./behaviour.ts";

type Definition = Record<string, unknown>;
export type Held = InstanceType<typeof Behaviour>;
export interface State {
  readonly list: unknown[];
}

export const added = (data: unknown) => ({ type: "Added", data });

const RULES = {
  initialState: () => ({ list: [] }),
  decide: () => [],
  evolve: (state: State, { data }: { data: unknown }) => ({ list: [...state.list, data] }),
};

/** Defines aggregates and processes by functions. Their state is a list of what was added. */
export function definesOf({ aggregate, process }: Pick<Sillok, "aggregate" | "process">) {
  return {
    aggregate: (definition: Definition, name = "account") =>
      (aggregate as unknown as (name: string, definition: object) => Aggregate)(name, {
        ...RULES,
        ...definition,
      }),
    process: (definition: Definition, name = "transfer") =>
      (process as unknown as (name: string, definition: object) => AnyProcess)(name, {
        ...RULES,
        ...definition,
      }),
  };
}

/** The code of an aggregate or a process over a stream without events. */
export function begun(aggregate: Aggregate): Held {
  const behaviour = new Behaviour(aggregate as never, `${aggregate.name}-7`);
  behaviour.begin();
  return behaviour;
}

/** The context of a decision, as the engine passes it. */
export const context = (version: number, more: object = {}) =>
  JSON.stringify({ now: 5, version, commandId: "c1", metadata: { correlationId: "c" }, ...more });
/** An event of another stream, as the engine passes it. */
export const feedEvent = (more: object = {}) =>
  JSON.stringify({
    stream: "order-1",
    version: 3,
    id: "e",
    type: "Placed",
    time: "1970-01-01T00:00:00.000Z",
    data: { id: "7" },
    metadata: {},
    position: 9,
    ...more,
  });

/** Fails unless the call fails with this code and this field. */
export function fails(
  call: () => unknown,
  code: SillokErrorCode,
  field?: string,
  message?: RegExp,
): void {
  assert.throws(call, (error: Error & { code?: string; field?: string }) => {
    assert.deepEqual([error.code, error.field], [code, field], error.message);
    if (message) assert.match(error.message, message);
    return true;
  });
}
