// The part of the package that needs the engine. Each entry point starts the engine and exports these under the same names as
// values of its own: a bundler that takes one of them then takes the start too.

export { EventGateway } from "./gateway/event-gateway.js";
export { EventHandler } from "./gateway/event-handler.js";
export { EventStore } from "./local/event-store.js";
export { verifyCommits } from "./local/verify-commits.js";
