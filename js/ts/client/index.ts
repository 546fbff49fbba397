/**
 * The entry `sillok/client`: the client of a deployed Sillok, without an engine. It is the same `connect` as that of `sillok`,
 * in a file of its own for pages.
 *
 * @packageDocumentation
 */

export type {
  CommandOutcome,
  ExecuteResult,
  LoadedState,
  LoadOptions,
} from "../aggregate/aggregate-store.js";
export type {
  ConsumerHandle,
  ConsumerStatus,
  DeadLetter,
  DeadLettersOptions,
  DocumentsOptions,
  KeyedDocument,
} from "../consumer/handles.js";
export { mintToken, type MintTokenOptions, type Scope } from "../deployment/mint-token.js";
export {
  type SentEvent,
  type VerifiedWebhook,
  verifyWebhook,
  type VerifyWebhookOptions,
  type WebhookRequest,
} from "../deployment/verify-webhook.js";
export type { RemoteEventStore } from "../remote/event-store.js";
export {
  type CommandRejectedError,
  isCommandRejected,
  isSillokError,
  isWrongExpectedVersion,
  type Rejection,
  SillokError,
  type SillokErrorCode,
  type WrongExpectedVersionError,
} from "../store/errors.js";
export type { FeedEvent, NewEvent, RecordedEvent, Stored } from "../store/events.js";
export type { ConnectOptions } from "../store/options.js";
export type { SentCommand, Timer } from "../store/pending.js";
export type { AggregateClient, CommandOptions } from "./aggregate-client.js";
export type { AggregateName, AggregateNamed, AggregateOf, AnyApp } from "./app.js";
export { Client, connect, type Fetcher } from "./client.js";
export type { ConsumerClient } from "./consumer-client.js";
export type { DocumentChange, SubscribeDocumentsOptions } from "./document-changes.js";
export type { CoveredOptions, DocumentIn, DocumentsClient } from "./documents-client.js";
export type { Named } from "./name-of.js";
