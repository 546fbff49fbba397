// Wrong definitions of aggregates, and the errors of the compiler; a part of types.test.ts.

import assert from "node:assert/strict";

import { DOOR } from "./types-states.ts";

/** A wrong definition. */
interface Mistake {
  /** The program. The compiler must report one error, at the line with `// here`. */
  readonly program: string;
  /** The text in the error. */
  readonly says: RegExp;
}

const RIGHT = {
  events: "base.events,",
  commands: "base.commands,",
  initialState: `(): { owner: string; times: number } => ({ owner: "", times: 0 }),`,
  evolve: `{
    Opened: (state, { by }) => ({ owner: by, times: state.times + 1 }),
    Shut: (state) => state,
  },`,
  decide: `{
    Open: ({ by }, { owner }) => (owner === by ? reject("open") : { type: "Opened", data: { by } }),
    Shut: () => ({ type: "Shut" }),
  },`,
};

/** A definition with schemas that has these fields instead of the right ones. */
function maps(says: RegExp, fields: Readonly<Record<string, string | undefined>>): Mistake {
  const lines = Object.entries({ ...RIGHT, ...fields }).map(([key, text]) =>
    text === undefined ? "" : `  ${key}: ${text}\n`,
  );
  const here = lines.some((line) => line.includes("// here")) ? "" : " // here";
  return { says, program: `${DOOR}aggregate("door", {${here}\n${lines.join("")}});\n` };
}

const decide = (says: RegExp, open: string) =>
  maps(says, { decide: `{\n    Open: ${open}, // here\n    Shut: () => [],\n  },` });
const evolve = (says: RegExp, opened: string) =>
  maps(says, { evolve: `{\n    Opened: ${opened}, // here\n    Shut: (state) => state,\n  },` });

/** A definition by functions that has these lines instead of the right ones. */
function functions(says: RegExp, lines: string): Mistake {
  const program = `
import { aggregate } from "sillok";
type Counted = { type: "Counted"; data: { by: number } };
type Count = { type: "Count"; data: { by: number } };
const right = {
  initialState: () => 0,
  decide: ({ data }: Count): Counted => ({ type: "Counted", data }),
  evolve: (sum: number, { data }: Counted) => sum + data.by,
};
aggregate<Counted, Count, number>("counter", ${lines});
`;
  return { says, program };
}

/** A definition whose decision has a timer or a sent command. */
function pending(says: RegExp, open: string): Mistake {
  const { program } = decide(says, open);
  const more = `import { type Aggregate, schedule, send } from "sillok";
declare const other: Aggregate<{ type: "Shut" }, { type: "Shut" }>;
`;
  return { says, program: program.replace(DOOR, DOOR + more) };
}

/** A definition of a process that has these fields beside the right ones. */
function followers(says: RegExp, fields: string): Mistake {
  const right = Object.entries(RIGHT).map(([key, text]) => `  ${key}: ${text}\n`);
  const program = `${DOOR}
import { process, send } from "sillok";
const lamp = aggregate("lamp", {${right.join("")}});
process("hall", {
${right.join("")}  sources: [lamp],
${fields}
});
`;
  return { says, program };
}

/** Wrong definitions, by their mistake. */
const BY_NAME: Readonly<Record<string, Mistake>> = {
  "a wrong type of event": decide(
    /"Wrong"' is not assignable to type '"Opened"'/,
    `({ by }) => ({ type: "Wrong", data: { by } })`,
  ),
  "an event without a field": decide(
    /Property 'by' is missing/,
    `() => ({ type: "Opened", data: {} })`,
  ),
  "an event without data": decide(/Property 'data' is missing/, `() => [{ type: "Opened" }]`),
  "a field of an event of another type": decide(
    /'number' is not assignable to type 'string'/,
    `() => ({ type: "Opened", data: { by: 5 } })`,
  ),
  "an asynchronous decide": decide(
    /'Promise<.*>' is not assignable to type 'Decision<.*>'/,
    `async () => []`,
  ),
  "a decide that returns nothing": decide(
    /Type 'void' is not assignable to type 'Decision<.*>'/,
    `() => {}`,
  ),
  "a command that is not decided": maps(/Property 'Shut' is missing/, {
    decide: "{ Open: () => [] }, // here",
  }),
  "an unknown command": decide(
    /'\(\) => never\[\]' is not assignable to type 'never'/,
    `() => [], Burn: () => []`,
  ),
  "no decide": maps(/Property 'decide' is missing/, { decide: undefined }),
  "no evolve": maps(/Property 'evolve' is missing/, { evolve: undefined }),
  "no commands": maps(/Property 'commands' is missing/, { commands: undefined }),
  "an event that is not evolved": maps(/Property 'Shut' is missing/, {
    evolve: "{ Opened: (state) => state }, // here",
  }),
  "an unknown event": evolve(
    /'Burnt' does not exist/,
    '(state) => state, Burnt: () => ({ owner: "", times: 0 })',
  ),
  "a state without a field": evolve(
    /Property 'times' is missing/,
    "(_, { by }) => ({ owner: by })",
  ),
  "a field of a state of another type": evolve(
    /'number' is not assignable to type 'string'/,
    "(state) => ({ ...state, owner: 5 })",
  ),
  "an asynchronous evolve": evolve(/Type 'Promise<.*>' is missing/, "async (state) => state"),
  "an unknown field of data": evolve(/Property 'who' does not exist/, "(state, { who }) => state"),
  "a misspelt option": maps(/Did you mean to write 'stateVersion'\?/, {
    stateVersoin: "2, // here",
  }),
  "an option of another type": maps(/'string' is not assignable to type 'number \| false/, {
    snapshotEvery: `"5", // here`,
  }),
  "an event without a schema": maps(/'\{\}' is not assignable to type 'EventSchema'/, {
    events: "{ ...base.events, Shut: {} }, // here",
  }),
  "a timer with an unknown command": pending(
    /'\{ type: "Burn"; \}' is not assignable to type 'CommandsOf<.*>'/,
    `() => [schedule("later", 5, { type: "Burn" })]`,
  ),
  "a timer whose command has wrong data": pending(
    /'number' is not assignable to type 'string'/,
    `() => schedule("later", 5, { type: "Open", data: { by: 5 } })`,
  ),
  "an aggregate that sends a command": pending(
    /'Sent<"debit">' is not assignable to type 'Decision<.*>'/,
    `({ by }) => send("debit", other, by, { type: "Shut" })`,
  ),
  "process: a function of an event that is missing": followers(
    /Property 'Opened' is missing/,
    `starts: { Opened: ({ stream }) => stream },
  on: {}, // here`,
  ),
  "process: an event of no source": followers(
    /'Burnt' does not exist|"Burnt"' is not assignable/,
    `  on: { Burnt: { instance: () => "1", decide: () => [] } }, // here`,
  ),
  "process: a wrong type of event": followers(
    /"Wrong"' is not assignable to type '"Opened"/,
    `  starts: { Shut: () => "1" },
  on: {
    Shut: () => ({ type: "Wrong" }), // here
  },`,
  ),
  "process: a rejection of an answer": followers(
    /is not assignable to type 'Reaction<.*>'/,
    `  answered: {
    debit: () => reject("no"), // here
  },`,
  ),
  "process: a sent command without a function for its answer": followers(
    /'Sent<"credit">' is not assignable to type 'Reaction<.*>'|"credit"' is not assignable to type '"debit"'/,
    `  answered: {
    debit: () => send("credit", lamp, "1", { type: "Shut" }), // here
  },`,
  ),
  "process: an end that is not true or false": followers(
    /'string' is not assignable to type 'boolean'/,
    `  ended: ({ owner }) => owner, // here`,
  ),
  "functions: a wrong type of event": functions(
    /'"Wrong"' is not assignable to type '"Counted"'/,
    `{ ...right,
  decide: ({ data }) => ({ type: "Wrong", data }), // here
}`,
  ),
  "functions: an event without a field": functions(
    /Property 'by' is missing/,
    `{ ...right,
  decide: () => ({ type: "Counted", data: {} }), // here
}`,
  ),
  "functions: an asynchronous decide": functions(
    /'Promise<.*>' is not assignable to type 'Decision<.*>'/,
    `{ ...right,
  decide: async ({ data }) => ({ type: "Counted", data }), // here
}`,
  ),
  "functions: no evolve": functions(
    /Property 'evolve' is missing/,
    `{ // here
  initialState: right.initialState, decide: right.decide,
}`,
  ),
  "functions: a state of another type": functions(
    /'string' is not assignable to type 'number'/,
    `{ ...right,
  evolve: (sum) => String(sum), // here
}`,
  ),
  "functions: a misspelt option": functions(
    /Did you mean to write 'unknownEvents'\?/,
    `{ ...right,
  unknownEvent: "skip", // here
}`,
  ),
  "functions: commands": functions(
    /'\{\}' is not assignable to type 'undefined'/,
    `{ ...right,
  commands: {}, // here
}`,
  ),
};

const fileOf = (place: number) => `mistake${place}.ts`;

/** A file for each wrong definition. */
export const MISTAKES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(BY_NAME).map(({ program }, place) => [fileOf(place), program]),
);

/** Fails unless the output of a compiler has one error for each file, at its line, and with its text. */
export function checkErrors(stdout: string): void {
  // The lines of an error after its first are indented.
  const errors = stdout.split(/\r?\n(?! )/).filter((error) => error !== "");
  const mistakes = Object.entries(BY_NAME);
  for (const [place, [name, { program, says }]] of mistakes.entries()) {
    const line = program.split("\n").findIndex((text) => text.includes("// here")) + 1;
    const [found = "", ...more] = errors.filter((error) => error.startsWith(`${fileOf(place)}(`));
    assert.ok(found.startsWith(`${fileOf(place)}(${line},`), `${name}: ${found}`);
    assert.match(found, says, name);
    assert.deepEqual(more, [], name);
  }
  assert.equal(errors.length, mistakes.length, stdout);
}
