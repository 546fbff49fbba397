// The tutorial's program, and its output in Node.

const SAVES = `
const store = new EventStore();
const gateway = new EventGateway(store, new EventHandler());

store.saveEvent({ aggregateId: "1", type: "AccountOpened", owner: "Ada" });
store.saveEvent({ aggregateId: "2", type: "AccountOpened", owner: "Bob" });
store.saveEvent({ aggregateId: "1", type: "Deposited", amount: 100 });

gateway.processEventsByAggregateId("1");
`;

/** With `import`. */
export const AS_MODULE = `import { EventStore, EventHandler, EventGateway } from "sillok";\n${SAVES}`;

/** The program with `require`, with each class in a file of its own. */
export const AS_COMMONJS: Readonly<Record<string, string>> = {
  "eventStore.cjs": 'module.exports = require("sillok").EventStore;\n',
  "eventHandler.cjs": 'module.exports = require("sillok").EventHandler;\n',
  "eventGateway.cjs": 'module.exports = require("sillok").EventGateway;\n',
  "index.cjs": `
const EventStore = require("./eventStore.cjs");
const EventHandler = require("./eventHandler.cjs");
const EventGateway = require("./eventGateway.cjs");
${SAVES}`,
};

/** The output: the two events of aggregate 1, and not the event of aggregate 2. */
export const PRINTS = [
  "Event handled: { aggregateId: '1', type: 'AccountOpened', owner: 'Ada' }",
  "Event handled: { aggregateId: '1', type: 'Deposited', amount: 100 }",
];
