// The types of the states of aggregates; a part of types.test.ts.

/** The schemas of a program. */
export const DOOR = `
import { aggregate, reject, type RejectionOf, type StandardSchema, type StateOf } from "sillok";

declare function schema<T>(): StandardSchema<T>;
const base = {
  events: { Opened: schema<{ by: string }>(), Shut: schema<null>() },
  commands: { Open: schema<{ by: string }>(), Shut: schema<null>() },
};
`;

/** This program checks itself. Each line below `@ts-expect-error` must be an error, and no other line may be one. */
export const STATES = `${DOOR}
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(_proof?: T): void {}

type Door = { status: "shut" } | { status: "open"; by: string };
const door = aggregate("door", {
  ...base,
  initialState: (): Door => ({ status: "shut" }),
  evolve: { Opened: (_, { by }) => ({ status: "open", by }), Shut: () => ({ status: "shut" }) },
  decide: {
    Open: ({ by }, state) => (state.status === "open" ? reject("open", { by: state.by }) : { type: "Opened", data: { by } }),
    Shut: (_, state) => (state.status === "shut" ? reject("shut") : { type: "Shut" }),
  },
});
is<Equal<StateOf<typeof door>, Door>>();
is<Equal<RejectionOf<typeof door>["code"], "open" | "shut">>();
is<Equal<Extract<RejectionOf<typeof door>, { code: "open" }>["data"], { by: string }>>();

const decide = { Open: () => [], Shut: () => [] };
const lamp = aggregate("lamp", {
  ...base, decide, initialState: () => ({ is: "off" as "on" | "off", uses: 0 }),
  evolve: {
    Opened: (state) => {
      is<Equal<typeof state, { is: "on" | "off"; uses: number }>>();
      return { ...state, is: "on" };
    },
    Shut(state) {
      if (state.is === "off") return state;
      return { is: "off", uses: state.uses + 1 };
    },
  },
});
is<Equal<StateOf<typeof lamp>, { is: "on" | "off"; uses: number }>>();

type Item = { state: "new" | "done"; sizes: number[]; note?: string };
aggregate("items", {
  ...base, decide, initialState: (): Item[] => [],
  evolve: { Opened: (items, { by }) => [...items, { state: "new", sizes: [1, 2], note: by }], Shut: () => [] },
});
aggregate("items", {
  ...base, decide, initialState: (): { items: Item[]; by: Record<string, "a" | "b"> } => ({ items: [], by: {} }),
  evolve: {
    Opened: (state, { by }) => ({
      items: state.items.map((item) => (item.note === by ? { ...item, state: "done" } : item)),
      by: { ...state.by, [by]: "a" },
    }),
    Shut: ({ items, by }) => ({ items: items.filter(({ state }) => state === "new"), by }),
  },
});
aggregate("items", {
  ...base, decide, initialState: (): { readonly items: readonly Readonly<Item>[] } => ({ items: [] }),
  evolve: { Opened: ({ items }) => ({ items: [...items, { state: "new", sizes: [] }] }), Shut: (state) => state },
});
interface Tree { kind: "leaf" | "branch"; below: Tree[]; above?: Tree | undefined }
aggregate("tree", {
  ...base, decide, initialState: (): Tree => ({ kind: "leaf", below: [] }),
  evolve: { Opened: (tree) => ({ kind: "branch", below: [tree, { kind: "leaf", below: [] }] }), Shut: (tree) => tree },
});
aggregate("pair", {
  ...base, decide, initialState: (): [number, "a" | "b"] => [0, "a"],
  evolve: { Opened: ([sum]) => [sum + 1, "b"], Shut: () => [0, "a"] },
});
aggregate("word", {
  ...base, decide, initialState: (): "on" | "off" | 5 | null => null,
  evolve: { Opened: () => "on", Shut: (state) => (state === "on" ? "off" : 5) },
});
const sum = aggregate("sum", { ...base, decide, initialState: () => 0, evolve: { Opened: (n) => n + 1, Shut: () => 0 } });
is<Equal<StateOf<typeof sum>, number>>();
aggregate("unknown", { ...base, decide, initialState: (): unknown => 5, evolve: { Opened: () => ({ a: 1 }), Shut: (n) => n } });
const outside = { Opened: (state: { n: number }) => state, Shut: (): { n: number } => ({ n: 1 }) };
aggregate("outside", { ...base, decide, initialState: () => ({ n: 0 }), evolve: outside });

const rules = { ...base, decide, initialState: (): Door => ({ status: "shut" }) };
export function refused(): void {
  // @ts-expect-error there is no such status
  aggregate("door", { ...rules, evolve: { Opened: () => ({ status: "ajar" }), Shut: (state) => state } });
  // @ts-expect-error by is missing
  aggregate("door", { ...rules, evolve: { Opened: () => ({ status: "open" }), Shut: (state) => state } });
  // @ts-expect-error by is a string
  aggregate("door", { ...rules, evolve: { Opened: () => ({ status: "open", by: 5 }), Shut: (state) => state } });
  // @ts-expect-error status is missing
  aggregate("door", { ...rules, evolve: { Opened: (_, { by }) => ({ by }), Shut: (state) => state } });
  // @ts-expect-error there is no state
  aggregate("door", { ...rules, evolve: { Opened: () => {}, Shut: (state) => state } });
}
`;
