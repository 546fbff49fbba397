// The part of the package that needs no engine: definitions, the client, and errors. A bundler leaves out the engine if a program
// imports only these, such as a Worker whose rules are in a file of their own.

export { aggregate } from "./aggregate/aggregate.js";
export { cancel, schedule, send } from "./aggregate/pending.js";
export { reject } from "./aggregate/reject.js";
export { Client, connect } from "./client/client.js";
export { process } from "./consumer/process.js";
export { projection } from "./consumer/projection.js";
export { queue } from "./consumer/queue.js";
export { reactor } from "./consumer/reactor.js";
export { webhook } from "./consumer/webhook.js";
export { mintToken } from "./deployment/mint-token.js";
export { verifyWebhook } from "./deployment/verify-webhook.js";
export {
  isCommandRejected,
  isSillokError,
  isWrongExpectedVersion,
  SillokError,
} from "./store/errors.js";
