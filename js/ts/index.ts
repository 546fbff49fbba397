/**
 * Sillok: an event store whose history only grows.
 *
 * @packageDocumentation
 */

export type {
  AnyConsumer,
  ConsumedEvent,
  ConsumerOptions,
  OnFailure,
} from "./consumers/definition.js";
export type {
  ConsumerHandle,
  ConsumerStatus,
  DeadLetter,
  DeadLettersOptions,
  DocumentsOptions,
  GetOptions,
  KeyedDocument,
  ProjectionHandle,
} from "./consumers/handles.js";
export {
  type Documents,
  projection,
  type Projection,
  type ProjectionHandlers,
  type ProjectionOptions,
} from "./consumers/projection.js";
export {
  reactor,
  type Reactor,
  type ReactorContext,
  type ReactorHandlers,
  type ReactorOptions,
} from "./consumers/reactor.js";
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
  FeedEvent,
  IntactHistory,
  NewEvent,
  RecordedEvent,
  SavedEvent,
  Stored,
  StreamEntry,
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
  OpenOptions,
  ReadAllOptions,
  ReadOptions,
  ReplayOptions,
  ReplayProgress,
  RunOptions,
  Signal,
  StreamsOptions,
  SubscribeAllOptions,
  SubscribeOptions,
  TruncateOptions,
} from "./options.js";
export type { RemoteEventStore } from "./remote-event-store.js";
export type { Store } from "./store.js";
export { verifyCommits } from "./verify-commits.js";
