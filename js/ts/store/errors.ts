import type { ExpectedVersion } from "./options.js";

/**
 * What went wrong, as a word that stays the same from release to release. The same codes are used by Sillok's
 * HTTP interface and its Rust crates.
 *
 * - `wrong_expected_version`: the stream is not at the version that the append expected.
 * - `invalid_stream_id`: a stream id is a string of 1 to 200 bytes of UTF-8 without control characters.
 * - `invalid_event`: the event is not an object, has a field that events do not have, or holds something that
 *   JSON cannot carry.
 * - `invalid_event_type`, `invalid_event_id`: each is a string of 1 to 200 bytes without control characters.
 * - `invalid_metadata`, `metadata_too_large`: metadata is an object of at most 16 KiB of JSON, with the ids of its cause where
 *   a reactor appends.
 * - `no_events`, `too_many_events`: one append carries 1 to 1,024 events.
 * - `commit_too_large`: the events of one append, as they are stored, are at most 1 MiB.
 * - `invalid_expected_version`, `invalid_parameter`: an option has a value it cannot have, or does not exist.
 * - `invalid_checkpoint`: a checkpoint is the text that an event of this very store's feed has.
 * - `invalid_category`: a category is a text with which a stream's name can begin, without a `-`.
 * - `invalid_document_key`, `document_too_large`: a document's key is a string of 1 to 200 bytes without control
 *   characters, and a document at most 1 MiB of JSON.
 * - `documents_over`, `handler_over`: what a handler was given is used after it has returned.
 * - `not_a_projection`: only a projection has documents, and can be rebuilt.
 * - `projection_behind`: the projection does not show the event yet that was asked for.
 * - `consumer_not_found`: nothing of this name was registered.
 * - `consumer_kind_fixed`: of a projection and a reactor, the other one has this name in the store already.
 * - `invalid_consumer`: a projection or a reactor is not what one can be.
 * - `invalid_idempotency_key`: an idempotency key is a string of 1 to 200 bytes without control characters
 *   and without U+FFFD.
 * - `idempotency_key_reused`: other events were appended to the stream under this key before.
 * - `stream_deleted`: the stream was deleted. It has no events to read, and takes no more.
 * - `stream_truncated`: the stream was truncated while it was read, before the read had come so far.
 * - `stream_full`: the stream fills the storage that it has; only a deployed Sillok sets such a bound.
 * - `version_exhausted`: the stream has 2^53 − 1 events.
 * - `storage_failed`: the file cannot be opened, read or written, or the store was closed, also because a call was cut off
 *   for want of room on the stack. Of an append that failed so, it is not certain that nothing was written; one with an
 *   idempotency key can simply be repeated.
 * - `storage_busy`: another connection, mostly of another process, had the file locked for longer than `busyTimeout`.
 *   Nothing was written; the same call can be made again.
 * - `storage_read_only`: the file was opened only to be read, or cannot be written to. Nothing was written.
 * - `unsupported_platform`: this platform has no files.
 * - `malformed_json`, `stored_data_corrupt`, `internal`: the store itself is at fault.
 *
 * Only of a store that was given by {@link EventStore.connect}:
 *
 * - `unavailable`: no answer came, although the request was repeated; `cause` says why, where it is known. Of an append
 *   it is not certain that nothing was written.
 * - `overloaded`: there are more requests for this than can be taken. Nothing was repeated; wait before another.
 * - `missing_token`, `invalid_token`, `auth_not_configured`: there is no token, it is not valid, or the server has no
 *   secret to check it by.
 * - `host_not_allowed`: the server has no authentication, and lets in no request for this host.
 * - `insufficient_scope`, `stream_not_allowed`: the token does not allow this.
 * - `not_found`, `invalid_answer`: what answers at this URL is not a Sillok, or not one that this package knows.
 * - `origin_not_allowed`: the server has no authentication, and lets in no page of another origin.
 * - `invalid_configuration`, `journal_partitions_changed`, `partitions_changed`: the server's `JOURNAL_PARTITIONS` is not
 *   valid, or is another number than before.
 *
 * Only of the HTTP interface and of the Rust crates; the methods of this package do not raise them, unless the server is
 * of another version:
 *
 * - `stream_not_found`, `document_not_found`, `dead_letter_not_found`: there is no such stream, document or dead letter.
 * - `consumer_defined_in_code`, `consumer_after_fixed`, `invalid_consumer_name`, `invalid_policy`, `invalid_partitions`: a
 *   consumer cannot be defined or changed so.
 * - `page_too_large`, `body_too_large`: a page has at most 1,000 events, and a body at most 2 MiB.
 * - `method_not_allowed`, `not_acceptable`, `unsupported_header`: the path does not take the request's method or headers.
 * - `document_mismatch`: a document is not of the type of a projection in Rust.
 * - `invalid_tenant`: a tenant's name is a string of 1 to 200 bytes without control characters.
 */
export type SillokErrorCode =
  | "wrong_expected_version"
  | "invalid_stream_id"
  | "invalid_event"
  | "invalid_event_type"
  | "invalid_event_id"
  | "invalid_metadata"
  | "metadata_too_large"
  | "no_events"
  | "too_many_events"
  | "commit_too_large"
  | "invalid_expected_version"
  | "invalid_parameter"
  | "invalid_checkpoint"
  | "invalid_category"
  | "invalid_consumer"
  | "invalid_document_key"
  | "document_too_large"
  | "documents_over"
  | "handler_over"
  | "not_a_projection"
  | "projection_behind"
  | "consumer_not_found"
  | "consumer_kind_fixed"
  | "invalid_idempotency_key"
  | "idempotency_key_reused"
  | "stream_deleted"
  | "stream_truncated"
  | "stream_full"
  | "version_exhausted"
  | "malformed_json"
  | "storage_failed"
  | "storage_busy"
  | "storage_read_only"
  | "stored_data_corrupt"
  | "unsupported_platform"
  | "internal"
  | "unavailable"
  | "overloaded"
  | "missing_token"
  | "invalid_token"
  | "auth_not_configured"
  | "host_not_allowed"
  | "insufficient_scope"
  | "stream_not_allowed"
  | "not_found"
  | "invalid_answer"
  | "invalid_consumer_name"
  | "invalid_policy"
  | "page_too_large"
  | "unsupported_header"
  | "origin_not_allowed"
  | "stream_not_found"
  | "document_not_found"
  | "dead_letter_not_found"
  | "method_not_allowed"
  | "not_acceptable"
  | "consumer_defined_in_code"
  | "consumer_after_fixed"
  | "body_too_large"
  | "invalid_configuration"
  | "journal_partitions_changed"
  | "partitions_changed"
  | "document_mismatch"
  | "invalid_partitions"
  | "invalid_tenant";

/** The errors after which the package makes the same call again: of a server, and of a file. */
export const REPEATED = {
  server: "unavailable",
  file: "storage_busy",
} as const satisfies Record<string, SillokErrorCode>;

/** What a {@link SillokError} is made of. */
export interface Failure {
  /** The stable code. */
  readonly code: SillokErrorCode;
  /** The sentence that becomes the error's message. */
  readonly detail: string;
  /** The field of the input that is wrong. */
  readonly field?: string;
  /** The stream of a conflict. */
  readonly stream?: string;
  /** What the append of a conflict expected. */
  readonly expected?: ExpectedVersion;
  /** The version that the stream of a conflict has. */
  readonly actual?: number;
}

/**
 * Every error that Sillok itself raises.
 *
 * @example
 * ```ts
 * import { EventStore, SillokError } from "sillok";
 *
 * try {
 *   new EventStore().saveEvent({ aggregateId: "1", amount: NaN });
 * } catch (error) {
 *   if (!(error instanceof SillokError)) throw error;
 *   console.log(error.code, error.field); // invalid_event amount
 * }
 * ```
 */
export class SillokError extends Error {
  /** What went wrong, as a word that stays the same from release to release. */
  readonly code: SillokErrorCode;
  /** The field of the input that is wrong, such as `events[2].type`, where one is. */
  declare readonly field?: string;
  /** The stream of a `wrong_expected_version`. */
  declare readonly stream?: string;
  /** What the append of a `wrong_expected_version` expected. */
  declare readonly expected?: ExpectedVersion;
  /** The version that the stream of a `wrong_expected_version` has. */
  declare readonly actual?: number;

  static {
    // On the prototype, as it is for JavaScript's own errors.
    Object.defineProperty(this.prototype, "name", {
      value: "SillokError",
      configurable: true,
      writable: true,
    });
  }

  /** Makes the error that tells of `failure`, and of the error that caused it. */
  constructor({ code, detail, ...fields }: Failure, options?: { readonly cause?: unknown }) {
    super(detail, options);
    this.code = code;
    Object.assign(this, fields);
  }
}

/** A conflict: the stream is not at the version that the append expected. */
export interface WrongExpectedVersionError extends SillokError {
  readonly code: "wrong_expected_version";
  /** The stream that was to be appended to. */
  readonly stream: string;
  /** What the append expected. */
  readonly expected: ExpectedVersion;
  /** The version that the stream has; 0 when it has no events. */
  readonly actual: number;
}

/**
 * Whether `error` is a {@link SillokError}, also one of another copy of this package.
 *
 * @example
 * ```ts
 * import { EventStore, isSillokError } from "sillok";
 *
 * const refused = await new EventStore().append("", { type: "Opened" }).catch((error) => error);
 * console.log(isSillokError(refused) && refused.code); // invalid_stream_id
 * console.log(isSillokError(new Error("no"))); // false
 * ```
 */
export function isSillokError(error: unknown): error is SillokError {
  if (error instanceof SillokError) return true;
  return error instanceof Error && error.name === "SillokError" && "code" in error;
}

/**
 * Whether `error` is a conflict: the stream is not at the version that the append expected. Read the stream
 * again, decide again and append again, expecting `error.actual`.
 *
 * @example
 * ```ts
 * import { EventStore, isWrongExpectedVersion } from "sillok";
 *
 * const store = new EventStore();
 * await store.append("account-42", { type: "Opened" });
 * try {
 *   await store.append("account-42", { type: "Opened" }, { expectedVersion: "no-stream" });
 * } catch (error) {
 *   if (!isWrongExpectedVersion(error)) throw error;
 *   console.log(error.expected, error.actual); // no-stream 1
 * }
 * ```
 */
export function isWrongExpectedVersion(error: unknown): error is WrongExpectedVersionError {
  return isSillokError(error) && error.code === "wrong_expected_version";
}
