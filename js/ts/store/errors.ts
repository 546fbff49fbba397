import type { ExpectedVersion } from "./options.js";

/**
 * The code of an error. It stays the same from release to release. Sillok's HTTP interface and its Rust crates use the same
 * codes.
 *
 * - `wrong_expected_version`: the stream does not have the expected version of the append.
 * - `invalid_stream_id`: a stream id is a string of 1 to 200 bytes of UTF-8 without control characters.
 * - `invalid_event`: the event is not an object, has an unknown field, or has a value that JSON cannot represent. Or the
 *   aggregate does not declare its type, or its schema refuses it.
 * - `invalid_event_type`, `invalid_event_id`: each is a string of 1 to 200 bytes without control characters.
 * - `invalid_metadata`, `metadata_too_large`: metadata is an object of at most 16 KiB of JSON. The append of a reactor adds
 *   the ids of its cause.
 * - `no_events`, `too_many_events`: one append has 1 to 1,024 events.
 * - `commit_too_large`: the events of one append have at most 1 MiB, as they are stored.
 * - `invalid_expected_version`, `invalid_parameter`: an option has an invalid value, or does not exist.
 * - `invalid_checkpoint`: a checkpoint is the text of an event of the same store's feed.
 * - `invalid_category`: a category is the start of a stream id, without a `-`.
 * - `invalid_document_key`, `document_too_large`: the key of a document is a string of 1 to 200 bytes without control
 *   characters. A document has at most 1 MiB of JSON.
 * - `documents_over`, `handler_over`: a handler has used its arguments after it has returned.
 * - `not_a_projection`: only a projection has documents and can be rebuilt.
 * - `projection_behind`: the projection does not cover the event of `min` yet.
 * - `consumer_not_found`: no consumer with this name is registered.
 * - `consumer_kind_fixed`: the store has a consumer of the other kind with this name: a projection, or a reactor.
 * - `invalid_consumer`: the definition of a projection or a reactor is invalid.
 * - `command_rejected`: the rules of the aggregate have refused the command. `rejection` has the reason.
 * - `unknown_command`, `invalid_command`: the aggregate has no such command, or the command has the wrong shape.
 * - `no_aggregate`: no aggregate with the category of the stream is registered.
 * - `decider_failed`: a function or a schema of the aggregate has thrown, or has returned a wrong value. `cause` has the
 *   thrown value.
 * - `async_decider`, `async_schema`: a function or a schema of the aggregate has returned a promise.
 * - `unknown_event`: the aggregate does not declare the type of a stored event.
 * - `event_too_new`: newer code has written the event, with a higher schema version.
 * - `state_unavailable`: the stream was truncated, and no snapshot fits. So the state is not known.
 * - `invalid_aggregate`: the definition of an aggregate or a process is invalid.
 * - `invalid_idempotency_key`: an idempotency key is a string of 1 to 200 bytes without control characters
 *   and without U+FFFD.
 * - `idempotency_key_reused`: an earlier append to the stream had this key and other events.
 * - `stream_deleted`: the stream was deleted. You cannot read it or append to it.
 * - `stream_truncated`: the stream was truncated during the read, and the read had not reached that version.
 * - `stream_full`: the storage of the stream is full. Only a deployed Sillok has this limit.
 * - `too_many_timers`, `too_many_sent`: the stream would have more than 1,000 timers, or more than 1,000 commands that are sent
 *   and not answered.
 * - `version_exhausted`: the stream has 2^53 − 1 events.
 * - `storage_failed`: the file cannot be opened, read or written, or the store was closed. The store also closes after a
 *   call that was cut off, such as by an overflow of the stack. An append that fails so may have written its events. You can
 *   repeat an append with an idempotency key.
 * - `storage_busy`: another connection, usually of another process, has locked the file for longer than `busyTimeout`.
 *   Nothing was written. You can repeat the call.
 * - `storage_read_only`: the file was opened for reading only, or is not writable. Nothing was written.
 * - `invalid_signature`: a message for {@link verifyWebhook} is not one of the webhook, was changed, or is too old.
 * - `unsupported_platform`: this platform has no files, or the program must first do what the message says, such as importing
 *   `sillok/engine`.
 * - `malformed_json`, `stored_data_corrupt`, `internal`: the store itself has an error.
 *
 * Only a store of {@link EventStore.connect} has these codes:
 *
 * - `unavailable`: the server did not answer, also after the retries. `cause` has the reason, if it is known. An append may
 *   have written its events.
 * - `not_supported`: a server cannot do this. It appends to one stream at a time.
 * - `overloaded`: the server has too many requests of this kind. The store does not repeat the request. Wait before the next
 *   one.
 * - `missing_token`, `invalid_token`, `auth_not_configured`: there is no token, the token is not valid, or the server has no
 *   secret to check it.
 * - `host_not_allowed`: the server has no authentication, and refuses requests for this host.
 * - `insufficient_scope`, `stream_not_allowed`: the token does not allow the request.
 * - `not_found`, `invalid_answer`: the server at this URL is not a Sillok, or has an unknown version.
 * - `origin_not_allowed`: the server has no authentication, and refuses pages of another origin.
 * - `invalid_configuration`, `journal_partitions_changed`, `partitions_changed`: the server's `JOURNAL_PARTITIONS` is not
 *   valid, or differs from the number before.
 *
 * Only the HTTP interface and the Rust crates have these codes. The methods of this package do not throw them, unless the
 * server has another version:
 *
 * - `stream_not_found`, `document_not_found`, `dead_letter_not_found`, `timer_not_found`, `sent_command_not_found`: the stream,
 *   document, dead letter, timer or sent command does not exist.
 * - `consumer_defined_in_code`, `consumer_after_fixed`, `invalid_consumer_name`, `invalid_policy`, `invalid_partitions`: this
 *   definition or change of a consumer is not possible.
 * - `page_too_large`, `body_too_large`: a page has at most 1,000 events, and a body at most 2 MiB.
 * - `method_not_allowed`, `not_acceptable`, `unsupported_header`: the path does not accept the method or the headers of the
 *   request.
 * - `document_mismatch`: a document does not have the type of a projection in Rust.
 * - `invalid_tenant`: the name of a tenant is a string of 1 to 200 bytes without control characters.
 *
 * A newer server may have other codes: an {@link UnknownErrorCode}.
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
  | "command_rejected"
  | "unknown_command"
  | "invalid_command"
  | "no_aggregate"
  | "decider_failed"
  | "async_decider"
  | "async_schema"
  | "unknown_event"
  | "event_too_new"
  | "state_unavailable"
  | "invalid_aggregate"
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
  | "too_many_timers"
  | "too_many_sent"
  | "version_exhausted"
  | "malformed_json"
  | "not_supported"
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
  | "invalid_signature"
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
  | "timer_not_found"
  | "sent_command_not_found"
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
  | "invalid_tenant"
  | UnknownErrorCode;

/** The codes after which the package repeats the same call: of a server, and of a file. */
export const REPEATED = {
  server: "unavailable",
  file: "storage_busy",
} as const satisfies Record<string, SillokErrorCode>;

/** The reason for which the rules of an aggregate refuse a command: a value, made by {@link reject}. */
export interface Rejection {
  /** The stable name of the reason, such as `insufficient_funds`. */
  readonly code: string;
  /** Information about the reason. */
  readonly data?: unknown;
}

/** The parts of a {@link SillokError}. */
export interface Failure {
  /** The stable code. */
  readonly code: SillokErrorCode;
  /** The message of the error. */
  readonly detail: string;
  /** The wrong field of the input. */
  readonly field?: string;
  /** The stream of a conflict. */
  readonly stream?: string;
  /** The expected version of the append. */
  readonly expected?: ExpectedVersion;
  /** The actual version of the stream. */
  readonly actual?: number;
  /** The reason for which a command was refused. */
  readonly rejection?: Rejection;
  /** The version of the stream at the decision to refuse a command. */
  readonly version?: number;
  /** Whether a refusal is the remembered one of an earlier command under the same id. */
  readonly replayed?: boolean;
}

/**
 * The type of the codes of newer servers, which this version of the package does not know. It is only a type that differs from
 * every known code: the code itself can be any text.
 */
export type UnknownErrorCode = `unknown: ${string}`;

/** A conflict: the stream does not have the expected version of the append. */
export interface WrongExpectedVersionError extends Error {
  /** The code. */
  readonly code: "wrong_expected_version";
  /** A conflict has no wrong field. */
  readonly field?: undefined;
  /** The stream of the append. */
  readonly stream: string;
  /** The expected version of the append. */
  readonly expected: ExpectedVersion;
  /** The actual version of the stream; 0 if it has no events. */
  readonly actual: number;
}

/** A rejection: the rules of the aggregate have refused the command. */
export interface CommandRejectedError<R extends Rejection = Rejection> extends Error {
  /** The code. */
  readonly code: "command_rejected";
  /** A rejection has no wrong field. */
  readonly field?: undefined;
  /** The reason. */
  readonly rejection: R;
  /** The version of the stream at the decision. */
  readonly version?: number;
  /** Whether the refusal is the remembered outcome of an earlier command under the same id. */
  readonly replayed?: boolean;
}

/** An error with any other code. */
export interface OtherSillokError extends Error {
  /** The code. It stays the same from release to release. */
  readonly code: Exclude<SillokErrorCode, "wrong_expected_version" | "command_rejected">;
  /** The wrong field of the input, such as `events[2].type`, if there is one. */
  readonly field?: string;
}

/**
 * An error of Sillok. Sillok throws its own errors only as this class. The field `code` distinguishes the errors: if you compare
 * it with a code, the compiler knows the fields of this error.
 *
 * A server may be newer than this package, and may have other codes. So a `switch` over the codes needs a `default`.
 *
 * @example
 * ```ts
 * import { EventStore, isSillokError } from "sillok";
 *
 * const store = new EventStore();
 * await store.append("account-42", { type: "Opened" });
 * try {
 *   await store.append("account-42", { type: "Opened" }, { expectedVersion: "no-stream" });
 * } catch (error) {
 *   if (!isSillokError(error)) throw error;
 *   if (error.code === "wrong_expected_version") console.log(error.expected, error.actual); // no-stream 1
 *   else console.log(error.code, error.field);
 * }
 * ```
 */
export type SillokError = WrongExpectedVersionError | CommandRejectedError | OtherSillokError;

/** The class of {@link SillokError}. */
export interface SillokErrorConstructor {
  /** Makes the error from its parts and its cause. */
  new (failure: Failure, options?: { readonly cause?: unknown }): SillokError;
  /** The prototype. */
  readonly prototype: SillokError;
  /** What `instanceof` returns. */
  [Symbol.hasInstance](error: unknown): error is SillokError;
}

class ErrorOfSillok extends Error {
  readonly code: SillokErrorCode;

  static {
    // The name is on the prototype, as the name of JavaScript's own errors.
    Object.defineProperty(this.prototype, "name", {
      value: "SillokError",
      configurable: true,
      writable: true,
    });
    Object.defineProperty(this, "name", { value: "SillokError" });
  }

  constructor({ code, detail, ...fields }: Failure, options?: { readonly cause?: unknown }) {
    const limit = limitStack(STACK_LINES);
    super(detail, options);
    limitStack(limit);
    this.code = code;
    Object.assign(this, fields);
  }
}

/** The lines of an error's stack. With the usual ten, the lines of the package may leave no room for that of the caller. */
const STACK_LINES = 30;

/** Sets the number of lines of new stacks, and returns the one before. A number that is not the usual one stays. */
function limitStack(lines: number | undefined): number | undefined {
  const errors = Error as { stackTraceLimit?: unknown };
  const { stackTraceLimit: before } = errors;
  if (lines === undefined || (before !== USUAL_LINES && before !== STACK_LINES)) return undefined;
  // It stays if a program has frozen it.
  return Reflect.set(errors, "stackTraceLimit", lines) ? before : undefined;
}

/** The number of lines that V8 keeps of a stack, unless a program changes it. */
const USUAL_LINES = 10;

/**
 * The class of Sillok's errors.
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
export const SillokError = ErrorOfSillok as unknown as SillokErrorConstructor;

/**
 * Returns whether `error` is a {@link SillokError}, also of another copy of this package.
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
 * Returns whether `error` is a conflict: the stream does not have the expected version of the append. After a conflict, read
 * the stream again, decide again, and append again with `error.actual` as the expected version.
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

/**
 * Returns whether `error` is a rejection: the rules of the aggregate have refused the command. The type parameter is the type
 * of the rejections, such as `RejectionOf<typeof account>`.
 *
 * @example
 * ```ts
 * import { isCommandRejected, type Rejection, SillokError } from "sillok";
 *
 * const rejection: Rejection = { code: "insufficient_funds", data: { missing: 400 } };
 * const error = new SillokError({ code: "command_rejected", detail: "refused", rejection });
 * console.log(isCommandRejected(error) && error.rejection.code); // insufficient_funds
 * ```
 */
export function isCommandRejected<R extends Rejection = Rejection>(
  error: unknown,
): error is CommandRejectedError<R> {
  return isSillokError(error) && error.code === "command_rejected";
}
