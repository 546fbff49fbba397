// Aggregates for the behaviours of commands, which run on every platform: without a library of schemas.

import type { Aggregate, NewEvent, StandardSchema } from "sillok";
import type { Sillok } from "./behaviour.ts";

/** An aggregate of any types. */
export type Any = Aggregate<any, any, any, any>;
type Fields = Readonly<Record<string, unknown>>;

/** A schema for an object with these fields, each of this type. */
export function fields<T extends object>(types: {
  readonly [Key in keyof T]: string;
}): StandardSchema<T> {
  const validate = (value: unknown) => {
    const given = (value ?? {}) as Fields;
    const wrong = Object.entries(types).find(([key, type]) => typeof given[key] !== type);
    return wrong === undefined
      ? { value: value as T }
      : { issues: [{ message: `must be a ${String(wrong[1])}`, path: [wrong[0]] }] };
  };
  return { "~standard": { version: 1, vendor: "tests", validate } };
}

const CENTS = fields<{ cents: number }>({ cents: "number" });

/** An account, and how often its code was called. */
export function account({ aggregate, reject }: Sillok) {
  const calls = { decided: 0, evolved: 0 };
  const evolved = <S>(state: S): S => {
    calls.evolved += 1;
    return state;
  };
  const rules = aggregate("account", {
    events: {
      Opened: fields<{ owner: string }>({ owner: "string" }),
      Deposited: CENTS,
      Withdrawn: CENTS,
    },
    commands: {
      Open: fields<{ owner: string }>({ owner: "string" }),
      Deposit: CENTS,
      Withdraw: CENTS,
    },
    initialState: () => ({ owner: null as string | null, cents: 0 }),
    evolve: {
      Opened: (state, { owner }) => evolved({ ...state, owner }),
      Deposited: (state, { cents }) => evolved({ ...state, cents: state.cents + cents }),
      Withdrawn: (state, { cents }) => evolved({ ...state, cents: state.cents - cents }),
    },
    decide: {
      Open({ owner }, state) {
        calls.decided += 1;
        if (state.owner === owner) return [];
        return state.owner === null ? { type: "Opened", data: { owner } } : reject("is_open");
      },
      Deposit({ cents }) {
        calls.decided += 1;
        return { type: "Deposited", data: { cents } };
      },
      Withdraw({ cents }, state) {
        calls.decided += 1;
        const missing = cents - state.cents;
        if (missing > 0) return reject("insufficient_funds", { missing });
        return { type: "Withdrawn", data: { cents } };
      },
    },
  });
  return { account: rules, calls };
}

export const open = (owner: string) => ({ type: "Open", data: { owner } }) as const;
export const deposit = (cents: number) => ({ type: "Deposit", data: { cents } }) as const;
export const withdraw = (cents: number) => ({ type: "Withdraw", data: { cents } }) as const;
export const deposited = (cents: number) => ({ type: "Deposited", data: { cents } });

/** An aggregate that keeps the data of its events in a list, with other parts instead of its own. */
export function list({ aggregate }: Pick<Sillok, "aggregate">, parts: object = {}): Any {
  const define = aggregate as unknown as (name: string, definition: object) => Any;
  return define("list", {
    initialState: () => ({ list: [] }),
    evolve: (state: { list: unknown[] }, { data }: NewEvent) => ({ list: [...state.list, data] }),
    decide: ({ data }: NewEvent) => ({ type: "Added", data }),
    ...parts,
  });
}

/** A command of the list. */
export const add = (data: unknown, metadata?: object) => ({ type: "Add", data, metadata });
