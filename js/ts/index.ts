/**
 * Sillok: an event store whose history only grows.
 *
 * @packageDocumentation
 */

export {
  aggregate,
  type CommandsOf,
  type Deciders,
  type EventData,
  type EventSchema,
  type EventsOf,
  type FunctionDefinition,
  type Message,
  type RejectionsOf,
  type SchemaDefinition,
  type UnknownDeciders,
} from "./aggregate/aggregate.js";
export type { EventDefinition, EventDefinitions, Upcast } from "./aggregate/events.js";
export {
  cancel,
  type Cancelled,
  type LiteralCommand,
  schedule,
  type Scheduled,
  send,
  type Sent,
} from "./aggregate/pending.js";
export type { Answer, ProcessEnded, ProcessRules } from "./aggregate/process-rules.js";
export { reject, type Rejected } from "./aggregate/reject.js";
export type {
  SchemaInput,
  SchemaOutput,
  StandardSchema,
  StandardSchemaIssue,
  StandardSchemaResult,
} from "./aggregate/schema.js";
export type {
  Aggregate,
  AggregateOptions,
  Command,
  CommandContext,
  CommandOf,
  Decision,
  DecisionPart,
  EventOf,
  FiredTimer,
  PrepareContext,
  Received,
  RejectionOf,
  StateOf,
} from "./aggregate/types.js";
export type { AggregateClient, CommandOptions } from "./client/aggregate-client.js";
export type { AggregateName, AggregateNamed, AggregateOf, AnyApp } from "./client/app.js";
export { Client, connect, type Fetcher } from "./client/client.js";
export type { ConsumerClient } from "./client/consumer-client.js";
export type { DocumentChange, SubscribeDocumentsOptions } from "./client/document-changes.js";
export type { CoveredOptions, DocumentIn, DocumentsClient } from "./client/documents-client.js";
export type {
  AnyConsumer,
  ConsumedEvent,
  ConsumerOptions,
  FollowOptions,
  OnFailure,
} from "./consumer/definition.js";
export type {
  ConsumerHandle,
  ConsumerStatus,
  DeadLetter,
  DeadLettersOptions,
  DocumentsOptions,
  GetOptions,
  KeyedDocument,
  ProjectionHandle,
} from "./consumer/handles.js";
export { process } from "./consumer/process.js";
export type {
  AnyProcess,
  EventDecider,
  EventsIn,
  InstanceFunction,
  Process,
  ProcessConsumer,
  ProcessDecision,
  ProcessFunctionDefinition,
  ProcessOptions,
  ProcessSchemaDefinition,
  Reaction,
  RoutedDecider,
  SourceEvent,
} from "./consumer/process-types.js";
export {
  type Documents,
  projection,
  type Projection,
  type ProjectionHandlers,
  type ProjectionOptions,
} from "./consumer/projection.js";
export {
  queue,
  type QueueBinding,
  type QueueDefinition,
  type QueueOptions,
} from "./consumer/queue.js";
export {
  reactor,
  type Reactor,
  type ReactorContext,
  type ReactorHandlers,
  type ReactorOptions,
} from "./consumer/reactor.js";
export {
  type FromEnv,
  type SendOptions,
  webhook,
  type WebhookDefinition,
  type WebhookOptions,
} from "./consumer/webhook.js";
export type { AppFailure, FailureListener } from "./consumer/app-failure.js";
export { mintToken, type MintTokenOptions, type Scope } from "./deployment/mint-token.js";
export {
  type SentEvent,
  type VerifiedWebhook,
  verifyWebhook,
  type VerifyWebhookOptions,
  type WebhookRequest,
} from "./deployment/verify-webhook.js";
export { EventGateway, type EventSink, type EventSource } from "./gateway/event-gateway.js";
export type { GatewayOptions } from "./gateway/gateway-options.js";
export { EventHandler } from "./gateway/event-handler.js";
export { EventStore } from "./local/event-store.js";
export {
  type CommandRejectedError,
  type Failure,
  isCommandRejected,
  isSillokError,
  isWrongExpectedVersion,
  type OtherSillokError,
  type Rejection,
  SillokError,
  type SillokErrorCode,
  type SillokErrorConstructor,
  type UnknownErrorCode,
  type WrongExpectedVersionError,
} from "./store/errors.js";
export type {
  AggregateId,
  AppendedEvent,
  AppendedEvents,
  AppendResult,
  BrokenHistory,
  FeedEnd,
  FeedEvent,
  IntactHistory,
  LocalAppendResult,
  NewEvent,
  RecordedEvent,
  SavedEvent,
  Stored,
  StreamEntry,
  StreamHead,
  TruncateResult,
  Verification,
} from "./store/events.js";
export type {
  AppendOptions,
  ConnectOptions,
  ExpectedVersion,
  Fetch,
  FetchRequest,
  FetchResponse,
  FeedPlace,
  OpenOptions,
  ReadAllOptions,
  ReadOptions,
  ReplayOptions,
  ReplayProgress,
  RunOptions,
  Signal,
  StoreOptions,
  StreamAppend,
  StreamsOptions,
  SubscribeAllOptions,
  SubscribeOptions,
  TruncateOptions,
} from "./store/options.js";
export type { RemoteAggregateStore } from "./remote/aggregate-store.js";
export type { RemoteEventStore } from "./remote/event-store.js";
export type {
  AggregateStore,
  AnyAggregate,
  CommandOutcome,
  ExecuteOptions,
  ExecuteResult,
  LoadedState,
  LoadOptions,
} from "./aggregate/aggregate-store.js";
export type { Store } from "./store/store.js";
export type { Attempts, PendingCommands, SentCommand, Timer } from "./store/pending.js";
export { verifyCommits } from "./local/verify-commits.js";
