import { EventStore, EventHandler, EventGateway } from "./sillok/sillok.js";

const store = new EventStore();
const handler = new EventHandler();
const gateway = new EventGateway(store, handler);

store.saveEvent({ aggregateId: "1", type: "AccountOpened", owner: "Sejong" });
store.saveEvent({ aggregateId: "2", type: "AccountFrozen", reason: "audit" });
store.saveEvent({ aggregateId: "1", type: "Deposited", amount: 100 });

gateway.processEventsByAggregateId("1");
