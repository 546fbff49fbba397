/**
 * Sillok: an event store whose history only grows.
 *
 * @packageDocumentation
 */

export { EventGateway, type EventSink, type EventSource } from "./event-gateway.js";
export { EventHandler } from "./event-handler.js";
export { EventStore } from "./event-store.js";
export {
  type Failure,
  isSillokError,
  isWrongExpectedVersion,
  SillokError,
  type SillokErrorCode,
  type WrongExpectedVersionError,
} from "./errors.js";
export type {
  AggregateId,
  AppendResult,
  BrokenHistory,
  IntactHistory,
  NewEvent,
  RecordedEvent,
  SavedEvent,
  Stored,
  TruncateResult,
  Verification,
} from "./events.js";
export type {
  AppendOptions,
  ConnectOptions,
  ExpectedVersion,
  Fetch,
  FetchRequest,
  FetchResponse,
  ReadOptions,
  Signal,
  SubscribeOptions,
  TruncateOptions,
} from "./options.js";
export type { RemoteEventStore } from "./remote-event-store.js";
export { verifyCommits } from "./verify-commits.js";
