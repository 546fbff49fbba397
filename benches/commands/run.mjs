// Measures a command on a stream of 1,000 events, in memory, beside the command handlers of Emmett and Castore. Run it after a
// build, with the two others in a folder of their own:
//
//   npm install --prefix FOLDER @event-driven-io/emmett@0.42.0 @castore/core@2.4.2 @castore/event-storage-adapter-in-memory@2.4.2
//   node benches/commands/run.mjs FOLDER [rounds]
//
// The candidates take turns in several rounds, each on new stores. All of them decide the same: a withdrawal that the balance
// covers. The script prints the medians of the elapsed time and of the processor time, and the speed beside Emmett.
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { aggregate, EventStore, reject } from "../../js/dist/sillok.js";

const [folder, rounds = "10"] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node benches/commands/run.mjs FOLDER [rounds]");
  process.exit(2);
}
const { resolve: found } = createRequire(pathToFileURL(resolve(folder, "package.json")));
const load = (name) => import(pathToFileURL(found(name)).href);
const emmett = await load("@event-driven-io/emmett");
const castore = await load("@castore/core");
const { InMemoryEventStorageAdapter } = await load("@castore/event-storage-adapter-in-memory");

const EVENTS = 1000;
const COMMANDS = 300;
const DEPOSIT = { type: "Deposited", data: { cents: 100 } };
const WITHDRAW = { type: "Withdraw", data: { cents: 1 } };

const initialState = () => ({ cents: 0 });
const evolve = ({ cents }, { type, data }) => ({
  cents: type === "Deposited" ? cents + data.cents : cents - data.cents,
});
const withdrawn = { type: "Withdrawn", data: { cents: 1 } };

async function ofSillok({ commandId }) {
  const account = aggregate("account", {
    initialState,
    evolve,
    decide: ({ data }, { cents }) =>
      data.cents > cents ? reject("insufficient_funds") : { type: "Withdrawn", data },
  });
  const store = new EventStore();
  const events = Array.from({ length: EVENTS }, () => DEPOSIT);
  await store.append("account-1", events);
  // The commands find the state in memory.
  await store.load("account-1", account);
  return (n) =>
    store.execute("account-1", WITHDRAW, account, commandId ? { commandId: `command-${n}` } : {});
}

async function ofEmmett() {
  const store = emmett.getInMemoryEventStore();
  await store.appendToStream(
    "account-1",
    Array.from({ length: EVENTS }, () => DEPOSIT),
  );
  const handle = emmett.CommandHandler({ initialState, evolve });
  return () =>
    handle(store, "account-1", ({ cents }) => {
      if (WITHDRAW.data.cents > cents) throw new Error("insufficient funds");
      return withdrawn;
    });
}

async function ofCastore() {
  const type = (name) => new castore.EventType({ type: name });
  const store = new castore.EventStore({
    eventStoreId: "ACCOUNTS",
    eventTypes: [type("Deposited"), type("Withdrawn")],
    reducer: (state, { type, version, payload, aggregateId }) => ({
      aggregateId,
      version,
      ...evolve(state ?? initialState(), { type, data: payload }),
    }),
    eventStorageAdapter: new InMemoryEventStorageAdapter(),
  });
  for (let version = 1; version <= EVENTS; version += 1) {
    const { type, data: payload } = DEPOSIT;
    await store.pushEvent({ aggregateId: "account-1", version, type, payload });
  }
  const command = new castore.Command({
    commandId: "WITHDRAW",
    requiredEventStores: castore.tuple(store),
    async handler({ cents }, [accounts]) {
      const { aggregate: state } = await accounts.getAggregate("account-1");
      if (cents > state.cents) throw new Error("insufficient funds");
      const { type, data: payload } = withdrawn;
      const version = state.version + 1;
      return accounts.pushEvent({ aggregateId: "account-1", version, type, payload });
    },
  });
  return () => command.handler(WITHDRAW.data, [store]);
}

const CANDIDATES = {
  Emmett: ofEmmett,
  Castore: ofCastore,
  "sillok, warm": () => ofSillok({}),
  "sillok, warm, with an id": () => ofSillok({ commandId: true }),
};

const times = new Map();
for (let round = 0; round <= Number(rounds); round += 1) {
  for (const [name, make] of Object.entries(CANDIDATES)) {
    const execute = await make();
    const [start, busy] = [performance.now(), process.cpuUsage()];
    for (let n = 0; n < COMMANDS; n += 1) await execute(n);
    const passed = ((performance.now() - start) * 1000) / COMMANDS;
    const { user, system } = process.cpuUsage(busy);
    // The first round warms up, and does not count.
    if (round > 0) {
      times.set(name, [...(times.get(name) ?? []), [passed, (user + system) / COMMANDS]]);
    }
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const measured = (name) => [0, 1].map((which) => median(times.get(name).map((of) => of[which])));
const [emmettMicros] = measured("Emmett");
console.log(`| a command on ${EVENTS} events | µs | of Emmett's speed | busy, µs |`);
console.log("|---|---|---|---|");
for (const name of Object.keys(CANDIDATES)) {
  const [passed, busy] = measured(name);
  const speed = (emmettMicros / passed).toFixed(2);
  console.log(`| ${name} | ${passed.toFixed(1)} | ${speed} | ${busy.toFixed(1)} |`);
}
