import type { Behaviours } from "./behaviour.ts";
import { all, rejection, same } from "./check.ts";
import { account, add, type Any, deposit, fields, list, open } from "./ledger.ts";

type Refused = { code?: unknown; field?: unknown; message: string; cause?: unknown };

/** The code of the aggregate until the test changes it. */
const well = {
  decide: ({ data }: { data: unknown }): unknown => ({ type: "Added", data }),
  evolve: (state: { list: unknown[] }, { data }: { data: unknown }): unknown => ({
    list: [...state.list, data],
  }),
};

class Money {
  cents = 5;
}

/** Data of an event that JSON changes, and the data that is stored. */
const CHANGED: [data: unknown, stored: unknown][] = [
  [new Date(0), "1970-01-01T00:00:00.000Z"],
  [-0, -0],
  [undefined, null],
  [{ a: undefined, at: { at: new Date(5) } }, { at: { at: "1970-01-01T00:00:00.005Z" } }],
  [new Money(), { cents: 5 }],
  [{ toJSON: () => ({ json: 1 }) }, { json: 1 }],
  ["\u2028\u0000", "\u2028\u0000"],
];

/** Data of an event that JSON loses, and the field that the error names. */
const LOST: [data: unknown, field: string][] = [
  [NaN, "data"],
  [{ n: [1, Infinity] }, "data.n[1]"],
  [1n, "data"],
  [{ map: new Map() }, "data.map"],
  [[undefined], "data[0]"],
  [() => 1, "data"],
  [new (class Empty {})(), "data"],
];

const STREAMS: unknown[] = ["", "x".repeat(201), "a\n", "\ud800", 5, null, undefined, {}, ["s"]];

/** Wrong code of aggregates, wrong events, and arguments that are no commands: errors, and nothing is written. */
export const failing: Behaviours = {
  async "code that throws writes nothing, and the next command is unharmed"(sillok) {
    const code = { ...well };
    const rules = list(sillok, {
      decide: (...given: [never]) => code.decide(...given),
      evolve: (...given: [never, never]) => code.evolve(...given),
    });
    const store = new sillok.EventStore();
    await store.execute("list-1", add(1), rules);
    const boom = new Error("a secret");
    const broken: Partial<Record<keyof typeof code, (state: never, event: never) => unknown>>[] = [
      {
        decide() {
          throw boom;
        },
      },
      {
        evolve() {
          throw boom;
        },
      },
      {
        decide(_: unknown, state: { list: unknown[] }) {
          try {
            state.list.push(2);
          } finally {
            throw boom;
          }
        },
      },
    ];
    for (const [place, parts] of broken.entries()) {
      Object.assign(code, well, parts);
      const error = (await rejection(store.execute("list-1", add(2), rules))) as Refused;
      same([error.code, error.cause === boom], ["decider_failed", true], `case ${place}`);
      same(error.message.includes("secret"), false);
      Object.assign(code, well);
      same(await store.load("list-1", rules), { state: { list: [1] }, version: 1 });
    }
    same((await store.execute("list-1", add(2), rules)).version, 2);
    same((await store.load("list-1", rules)).state, { list: [1, 2] });
  },

  async "a state that decide tries to change stays as it is, also before a rejection"(sillok) {
    const decide = (_: unknown, state: { list: unknown[] }) => {
      try {
        state.list.push("more");
      } catch {
        // The state is frozen.
      }
      return sillok.reject("no");
    };
    const store = new sillok.EventStore();
    await store.execute("list-1", add([1]), list(sillok));
    const rules = list(sillok, { decide });
    same((await store.attempt("list-1", add(2), rules)).accepted, false);
    same(await store.load("list-1", rules), { state: { list: [[1]] }, version: 1 });
  },

  async "a rejection that decide throws is refused, and names the mistake"(sillok) {
    const store = new sillok.EventStore();
    const throwing = async (thrown: unknown) => {
      const decide = () => {
        throw thrown;
      };
      const error = await rejection(store.execute("list-1", add(1), list(sillok, { decide })));
      const { code, message, cause } = error as Error & { code?: unknown };
      const [, mistake] = message.split(", has thrown ");
      return [code, mistake, cause === thrown];
    };
    const returned = "a rejection: return the rejection, do not throw it";
    same(await throwing(sillok.reject("no")), ["decider_failed", returned, true]);
    const fields = {
      get rejection() {
        throw new Error("boom");
      },
    };
    same(await throwing(fields), ["decider_failed", "an error", true]);
    same(await all(store.readAll()), []);
  },

  async "each of several failures at once has its own cause"(sillok) {
    const causes = new Map<unknown, Error>();
    const decide = ({ data }: { data: number }) => {
      const error = new Error(`cause ${data}`);
      causes.set(data, error);
      throw error;
    };
    const store = new sillok.EventStore();
    const rules = list(sillok, { decide });
    const errors = [1, 2, 3].map((n) => rejection(store.execute("list-1", add(n), rules)));
    for (const [place, error] of (await Promise.all(errors)).entries()) {
      same((error as Error).cause === causes.get(place + 1), true, `cause ${place + 1}`);
    }
  },

  async "code that returns a promise is refused, and nothing is written"(sillok) {
    const store = new sillok.EventStore();
    await store.append("list-2", { type: "Added", data: 1 });
    const later = (value: unknown) => () => Promise.resolve(value);
    const failing = () => Promise.reject(new Error("nobody handles it"));
    const cases: [parts: object, code: string][] = [
      [{ decide: later([]) }, "async_decider"],
      [{ decide: failing }, "async_decider"],
      [{ evolve: later({ list: [] }) }, "async_decider"],
      [{ initialState: later({ list: [] }) }, "async_decider"],
      [{ events: { Added: { schema: schema(later({ value: 1 })) } } }, "async_schema"],
      [{ events: { Added: { schema: schema(failing) } } }, "async_schema"],
    ];
    for (const [parts, code] of cases) {
      const error = await rejection(store.execute("list-1", add(1), list(sillok, parts)));
      same((error as Refused).code, code, JSON.stringify(Object.keys(parts)));
    }
    const upcasting = list(sillok, { events: { Added: { upcasts: [later(1)] } } });
    const error = await rejection(store.load("list-2", upcasting));
    same((error as Refused).code, "async_decider");
    const { aggregate } = sillok as unknown as { aggregate(name: string, maps: object): Any };
    const asking = aggregate("list", {
      events: {},
      commands: { Add: schema(failing) },
      initialState: () => ({}),
      evolve: {},
      decide: { Add: () => [] },
    });
    const refused = await rejection(store.execute("list-1", add(1), asking));
    same((refused as Refused).code, "async_schema");
    same((await all(store.readAll())).length, 1);
  },

  async "code that uses its own store is refused, and the store still works"(sillok) {
    const store = new sillok.EventStore();
    const uses = [
      () => store.findEventsByAggregateId("list-1"),
      () => store.saveEvent({ aggregateId: "list-1" }),
      () => store.close(),
    ];
    for (const use of uses) {
      for (const part of ["decide", "evolve", "initialState"]) {
        const rules = list(sillok, { [part]: use });
        const error = (await rejection(store.execute("list-1", add(1), rules))) as Refused;
        same([error.code, (error.cause as Refused).code], ["decider_failed", "decider_failed"]);
        same(/only its arguments/.test((error.cause as Error).message), true);
      }
    }
    same((await store.execute("list-1", add(1), list(sillok))).version, 1);
  },

  async "the live state equals the replayed state, for every value in an event"(sillok) {
    const store = new sillok.EventStore();
    for (const [place, [data, stored]] of CHANGED.entries()) {
      const decide = () => ({ type: "Added", data });
      const rules = list(sillok, { decide });
      const { events, version } = await store.execute("list-1", add(1), rules);
      same(events[0]?.data, stored, `data ${place}`);
      const live = (await store.load("list-1", rules)).state;
      same(live, (await store.load("list-1", list(sillok), { version })).state);
      same((live as { list: unknown[] }).list.at(-1), stored);
    }
    for (const [data, field] of LOST) {
      const rules = list(sillok, { decide: () => ({ type: "Added", data }) });
      const error = (await rejection(store.execute("list-1", add(1), rules))) as Refused;
      same([error.code, error.field], ["invalid_event", field]);
    }
    same((await store.load("list-1", list(sillok))).version, CHANGED.length);
  },

  async "an event that is not declared, or of the wrong shape, is refused with its field"(sillok) {
    const deposited = fields<{ cents: number }>({ cents: "number" });
    const changing = schema((value) => ({ value: { ...(value as object), more: 1 } }));
    const events = { Deposited: { schema: deposited }, Changed: { schema: changing }, Any: {} };
    const store = new sillok.EventStore();
    const cases: [decision: unknown, field: string][] = [
      [{ type: "Withdrawn" }, "type"],
      [[{ type: "Any" }, { type: "toString" }], "events[1].type"],
      [{ type: "Deposited", data: { cents: "5" } }, "data.cents"],
      [[{ type: "Deposited" }], "events[0].data.cents"],
      [{ type: "Changed", data: {} }, "data.more"],
      [{ type: "Any", amount: 5 }, "amount"],
      [[[]], "events[0]"],
    ];
    for (const [decision, field] of cases) {
      const rules = list(sillok, { events, decide: () => decision });
      const error = (await rejection(store.execute("list-1", add(1), rules))) as Refused;
      same([error.code, error.field], ["invalid_event", field]);
      same(error.message.includes(field), true, error.message);
    }
    for (const [event, code] of [
      [{ type: "" }, "invalid_event_type"],
      [{ type: "Any", id: "" }, "invalid_event_id"],
      [{ type: "Any", metadata: [] }, "invalid_metadata"],
      [{ type: "Any", data: "x".repeat(2_000_000) }, "commit_too_large"],
    ] as const) {
      const rules = list(sillok, { decide: () => event });
      same(((await rejection(store.execute("list-1", add(1), rules))) as Refused).code, code);
    }
    same(await all(store.readAll()), []);
  },

  async "a command that the aggregate does not have, or of the wrong shape, is refused"(sillok) {
    const { account: rules } = account(sillok);
    const store = new sillok.EventStore();
    const cases: [command: unknown, code: string, field: string][] = [
      [{ type: "Close" }, "unknown_command", "type"],
      [{ type: "toString" }, "unknown_command", "type"],
      [{ type: "Open" }, "invalid_command", "data.owner"],
      [{ type: "Open", data: { owner: 5 } }, "invalid_command", "data.owner"],
      [{ type: "Deposit", data: { cents: NaN } }, "invalid_command", "data.cents"],
      [{ type: "Deposit", data: { cents: 1n } }, "invalid_command", "data.cents"],
      [undefined, "invalid_command", "command"],
      [null, "invalid_command", "command"],
      ["Open", "invalid_command", "command"],
      [[open("Ada")], "invalid_command", "command"],
      [new Map(), "invalid_command", "command"],
      [new Date(0), "invalid_command", "command"],
      [{}, "invalid_command", "type"],
      [{ type: 5 }, "invalid_command", "type"],
      [{ type: "" }, "invalid_command", "type"],
      [{ type: "x".repeat(201) }, "invalid_command", "type"],
      [{ ...open("Ada"), metadata: [] }, "invalid_command", "metadata"],
      [{ ...open("Ada"), metadata: { m: "x".repeat(16_384) } }, "invalid_command", "metadata"],
      [{ ...open("Ada"), version: 1 }, "invalid_command", "version"],
      [open("x".repeat(1_048_576)), "invalid_command", "data"],
    ];
    for (const [place, [command, code, field]] of cases.entries()) {
      const error = await rejection(store.execute("account-1", command as never, rules));
      const { code: actual, field: named } = error as Refused;
      same([sillok.isSillokError(error), actual, named], [true, code, field], `case ${place}`);
    }
    same(await all(store.readAll()), []);
  },

  async "arguments that are no streams, aggregates or options are refused with their field"(
    sillok,
  ) {
    const { account: rules } = account(sillok);
    const store = new sillok.EventStore();
    const command = deposit(5);
    const refusal = async (promise: Promise<unknown>) => {
      const error = (await rejection(promise)) as Refused;
      return [sillok.isSillokError(error), error.code, error.field];
    };
    for (const stream of STREAMS as string[]) {
      const expected = [true, "invalid_stream_id", "stream"];
      const about = String(stream).slice(0, 9);
      const rules = list(sillok);
      same(await refusal(store.execute(stream, add(1), rules)), expected, about);
      same(await refusal(store.load(stream, rules)), expected, about);
      same(await refusal(store.load(stream, rules, { version: 0 })), expected, about);
    }
    const aggregates = [undefined, null, 5, {}, { ...rules }, { kind: "aggregate" }, list(sillok)];
    for (const aggregate of aggregates as Any[]) {
      const expected = [true, "invalid_parameter", "aggregate"];
      same(await refusal(store.execute("account-1", command, aggregate)), expected);
      same(await refusal(store.load("account-1", aggregate)), expected);
    }
    const options: [options: unknown, code: string, field: string][] = [
      [null, "invalid_parameter", "options"],
      [5, "invalid_parameter", "options"],
      [{ version: 1 }, "invalid_parameter", "version"],
      [{ commandId: "" }, "invalid_idempotency_key", "commandId"],
      [{ commandId: 5 }, "invalid_idempotency_key", "commandId"],
      [{ commandId: "x".repeat(201) }, "invalid_idempotency_key", "commandId"],
      [{ expectedVersion: -1 }, "invalid_expected_version", "expectedVersion"],
      [{ expectedVersion: null }, "invalid_expected_version", "expectedVersion"],
      [{ expectedVersion: "now" }, "invalid_expected_version", "expectedVersion"],
      ...[0, 101, 1.5, "3", NaN, null].map((attempts): [unknown, string, string] => [
        { attempts },
        "invalid_parameter",
        "attempts",
      ]),
    ];
    for (const [given, code, field] of options) {
      const refused = refusal(store.execute("account-1", command, rules, given as never));
      same(await refused, [true, code, field], JSON.stringify(given));
    }
    for (const [given, field] of [
      [null, "options"],
      [{ version: -1 }, "version"],
      [{ version: 1.5 }, "version"],
      [{ version: "1" }, "version"],
      [{ version: 1 }, "version"],
      [{ version: 0, time: 0 }, "time"],
      [{ time: "now" }, "time"],
      [{ time: new Date(NaN) }, "time"],
      [{ time: -1 }, "time"],
      [{ at: 1 }, "at"],
    ] as const) {
      const refused = refusal(store.load("account-1", rules, given as never));
      same(await refused, [true, "invalid_parameter", field], JSON.stringify(given));
    }
    same(await all(store.readAll()), []);
  },
};

function schema(validate: (value: unknown) => unknown) {
  return { "~standard": { version: 1, vendor: "tests", validate } };
}
