import type { StandardSchema } from "sillok";
import type { Behaviours } from "./behaviour.ts";
import { same, thrown } from "./check.ts";

type Refused = { code?: unknown; field?: unknown };

/** A schema for any value. */
const any: StandardSchema = {
  "~standard": { version: 1, vendor: "tests", validate: (value) => ({ value }) },
};
const evolve = (state: unknown) => state;
const decide = () => [];

const MAPS = {
  events: { Opened: any },
  commands: { Open: any },
  initialState: () => 0,
  evolve: { Opened: evolve },
  decide: { Open: decide },
};
const FUNCTIONS = { initialState: () => 0, evolve, decide };

/** Wrong parts of a definition, and the field that the error names. */
const WRONG: [base: object, part: object, field: string][] = [
  [MAPS, { events: undefined }, "events"],
  [MAPS, { events: [any] }, "events"],
  [MAPS, { events: { "": any } }, "events"],
  [MAPS, { events: { Opened: any, ["x".repeat(201)]: any } }, "events"],
  [MAPS, { events: { Opened: 5 } }, "events.Opened"],
  [MAPS, { events: { Opened: {} } }, "events.Opened.schema"],
  [MAPS, { events: { Opened: { schema: {} } } }, "events.Opened.schema"],
  [MAPS, { events: { Opened: { schema: any, upcasts: () => 0 } } }, "events.Opened.upcasts"],
  [MAPS, { events: { Opened: { schema: any, upcasts: [5] } } }, "events.Opened.upcasts[0]"],
  [MAPS, { events: { Opened: { schema: any, upcast: [] } } }, "events.Opened.upcast"],
  [MAPS, { commands: undefined }, "commands"],
  [MAPS, { commands: { Open: any, "": any } }, "commands"],
  [MAPS, { commands: { Open: { schema: any } } }, "commands.Open"],
  [MAPS, { evolve: {} }, "evolve.Opened"],
  [MAPS, { evolve }, "evolve"],
  [MAPS, { evolve: { Opened: evolve, Closed: evolve } }, "evolve.Closed"],
  [MAPS, { evolve: Object.create({ Opened: evolve }) }, "evolve.Opened"],
  [MAPS, { decide: undefined }, "decide"],
  [MAPS, { decide: {} }, "decide.Open"],
  [MAPS, { decide: { Open: 5 } }, "decide.Open"],
  [MAPS, { decide: { Open: decide, Close: decide } }, "decide.Close"],
  [FUNCTIONS, { initialState: undefined }, "initialState"],
  [FUNCTIONS, { evolve: { Opened: evolve } }, "evolve"],
  [FUNCTIONS, { commands: {} }, "commands"],
  [FUNCTIONS, { events: null }, "events"],
  [FUNCTIONS, { events: { Opened: { schema: 5 } } }, "events.Opened.schema"],
  [FUNCTIONS, { prepare: 5 }, "prepare"],
  [FUNCTIONS, { stateVersion: 0 }, "stateVersion"],
  [FUNCTIONS, { stateVersion: "2" }, "stateVersion"],
  [FUNCTIONS, { snapshotEvery: 0 }, "snapshotEvery"],
  [FUNCTIONS, { snapshotEvery: true }, "snapshotEvery"],
  [FUNCTIONS, { snapshotEvery: { events: 1.5 } }, "snapshotEvery.events"],
  [FUNCTIONS, { snapshotEvery: { bytes: -1 } }, "snapshotEvery.bytes"],
  [FUNCTIONS, { snapshotEvery: { rows: 1 } }, "snapshotEvery.rows"],
  [FUNCTIONS, { unknownEvents: "ignore" }, "unknownEvents"],
  [FUNCTIONS, { rememberOutcomes: 0 }, "rememberOutcomes"],
  [FUNCTIONS, { rememberOutcomes: "always" }, "rememberOutcomes"],
  [FUNCTIONS, { appends: "closed" }, "appends"],
  [FUNCTIONS, { timers: [] }, "timers"],
];

/** Definitions of aggregates. */
export const aggregating: Behaviours = {
  "an aggregate is whole, and cannot be altered"({ aggregate }) {
    type Define = (name: string, definition: object) => ReturnType<typeof aggregate>;
    const define = aggregate as unknown as Define;
    const events = { Opened: { schema: any, upcasts: [(data: unknown) => data] } };
    const account = define("account", { ...MAPS, events });
    const { name, kind, stateVersion, snapshotEvery, unknownEvents, rememberOutcomes } = account;
    same([kind, name, stateVersion, unknownEvents], ["aggregate", "account", 1, "fail"]);
    same(
      [snapshotEvery, rememberOutcomes, account.appends],
      [{ events: 500, bytes: 0 }, 0, undefined],
    );
    same(account.events.byType?.["Opened"]?.schemaVersion, 2);
    same(Object.keys(account.commands ?? {}), ["Open"]);
    Object.assign(events, { Closed: any });
    const { byType } = account.events;
    same(Object.keys(byType ?? {}), ["Opened"]);
    const frozen = [account, account.events, byType, byType?.["Opened"], account.commands];
    for (const part of [...frozen, byType?.["Opened"]?.upcasts, snapshotEvery]) {
      same(Object.isFrozen(part), true);
    }
    const options = {
      stateVersion: 3,
      unknownEvents: "skip",
      rememberOutcomes: 5,
      appends: "open",
    };
    const other = define("ä".repeat(100), {
      ...FUNCTIONS,
      ...options,
      snapshotEvery: { bytes: 9 },
    });
    same(other.events, Object.freeze({ byType: undefined }));
    const { commands, decide: own, evolve: fold, initialState, ...rest } = other;
    same([commands, own === decide, fold === evolve, initialState()], [undefined, true, true, 0]);
    same([rest.stateVersion, rest.snapshotEvery], [3, { events: 500, bytes: 9 }]);
    same([rest.unknownEvents, rest.rememberOutcomes, rest.appends], ["skip", 5, "open"]);
    const without = define("a", { ...FUNCTIONS, snapshotEvery: false }).snapshotEvery;
    same(without, { events: 0, bytes: 0 });
    same(define("a", { ...FUNCTIONS, snapshotEvery: 7 }).snapshotEvery.events, 7);
  },

  "an invalid aggregate is refused, naming the field"({ aggregate, isSillokError }) {
    const define = aggregate as unknown as (name: unknown, definition: unknown) => unknown;
    for (const [base, part, field] of WRONG) {
      const error = thrown(() => define("account", { ...base, ...part })) as Refused;
      same(
        [isSillokError(error), error.code, error.field],
        [true, "invalid_aggregate", field],
        field,
      );
    }
    for (const name of ["", "a-b", "a\n", "x".repeat(201), "\ud800", 5, undefined]) {
      const { code, field } = thrown(() => define(name, FUNCTIONS)) as Refused;
      same([code, field], ["invalid_aggregate", "name"]);
    }
    for (const definition of [null, 5, undefined, []]) {
      const { code, field } = thrown(() => define("account", definition)) as Refused;
      same([code, field], ["invalid_aggregate", "definition"]);
    }
  },

  "a rejection is a value with a code"({ reject, isCommandRejected, SillokError }) {
    const { rejection } = reject("insufficient_funds", { missing: 5 });
    same(rejection, { code: "insufficient_funds", data: { missing: 5 } });
    same(reject("not_open").rejection, { code: "not_open" });
    same(Object.isFrozen(rejection), true);
    for (const code of ["", "a\n", "x".repeat(201), 5]) {
      const refused = thrown(() => reject(code as string)) as Refused;
      same([refused.code, refused.field], ["invalid_parameter", "code"]);
    }
    const error = new SillokError({ code: "command_rejected", detail: "refused", rejection });
    same(isCommandRejected(error) && error.rejection, rejection);
    same(isCommandRejected(new SillokError({ code: "internal", detail: "x" })), false);
  },

  async "consumers with an aggregate's events see each event in its newest shape"(sillok) {
    const { aggregate, EventGateway, EventStore, projection, reactor } = sillok;
    const upcasts = [({ amount }: { amount: number }) => ({ cents: amount * 100 })];
    const deposited = { Deposited: { schema: any, upcasts } };
    const definition = { ...MAPS, events: deposited, evolve: { Deposited: evolve } };
    const { events } = (aggregate as unknown as (name: string, d: object) => { events: never })(
      "account",
      definition,
    );
    const store = new EventStore();
    const seen: unknown[] = [];
    const shapes = projection("shapes", {
      events,
      on: ({ type, data }, documents) => documents.put(type, data),
    });
    const notes = reactor("notes", {
      events,
      on: ({ type, data }) => void seen.push([type, data]),
    });
    const gateway = new EventGateway(store).register(shapes, notes);
    await store.append("account-1", { type: "Deposited", data: { amount: 3 } });
    await store.append("account-1", { type: "Other", data: { amount: 4 } });
    await gateway.catchUp();
    same(await gateway.projection(shapes).get("Deposited"), { cents: 300 });
    same(await gateway.projection(shapes).get("Other"), { amount: 4 });
    same(seen, [
      ["Deposited", { cents: 300 }],
      ["Other", { amount: 4 }],
    ]);
  },
};
