import type { Stored } from "../store/events.js";
import type { Signal } from "../store/options.js";
import type { ConsumedEvent } from "./definition.js";

/** The status of a consumer. */
export interface ConsumerStatus {
  /** The name of the consumer. */
  name: string;
  /** The kind of the consumer. Only a server has webhooks and queues. */
  kind: "projection" | "reactor" | "process" | "webhook" | "queue";
  /** `paused` after {@link ConsumerHandle.pause}, `stopped` before a failed event, `running` otherwise. */
  status: "running" | "paused" | "stopped";
  /** The place in the feed up to which the consumer has handled events. */
  checkpoint: string;
  /** The number of events that the consumer has not read yet. */
  lag: number;
  /** The progress of a rebuild, if there is one. */
  rebuild: {
    /** The place in the feed up to which the rebuild has come. */
    checkpoint: string;
    /** The number of events that the rebuild has not handled yet. */
    lag: number;
    /** The number of failed attempts at the next event of the rebuild. The rebuild waits for this event. */
    failures: number;
    /** The time of the next attempt at it. */
    retryAt: string | null;
  } | null;
  /** The number of failed attempts at the next event. */
  failures: number;
  /** The time of the next attempt at it. */
  retryAt: string | null;
  /** The last error, also of an event that succeeded later. */
  lastError: {
    /** What is wrong. */
    message: string;
    /** The time of the error. */
    time: string;
    /** The stream of the event. It is missing for an error of no event. So are `version`, `position` and `rebuild`. */
    stream?: string;
    /** The version of the event. */
    version?: number;
    /** The position of the event; on a server, in its partition. */
    position?: number;
    /** Whether the attempt was part of a rebuild. */
    rebuild?: boolean;
  } | null;
  /** The number of dead letters, counted up to 10,000. */
  deadLetters: number;
  /** Whether the consumer retries its dead letters. */
  retrying: boolean;
}

/** A dead letter: an event that a consumer has given up. */
export interface DeadLetter {
  /** The place of the letter among the dead letters of the consumer, in the order of their creation. */
  id: number;
  /** `failed` after the last failed attempt; `held` because an earlier event of its stream has failed. */
  reason: "failed" | "held";
  /** The error of the last attempt; empty if there was no attempt. */
  error: string;
  /** The stack of this error, and of its causes, at most 8 KiB. It is null if the error has none, such as that of a webhook. */
  stack: string | null;
  /** The number of attempts. */
  attempts: number;
  /** The time when the consumer gave the event up. */
  time: string;
  /** The event. */
  event: ConsumedEvent;
}

/** A document and its key. */
export interface KeyedDocument<Document = unknown> {
  /** The key of the document. */
  key: string;
  /** The document, a new copy. */
  document: Stored<Document>;
}

/** Options of a read of a document. */
export interface GetOptions {
  /** An event that the document must cover, such as the result of an append. The read waits for it. Default: none. */
  readonly min?: { readonly stream: string; readonly version: number } | undefined;
  /** Ends the wait when you abort it. Without a signal, the wait lasts at most 5 seconds. */
  readonly signal?: Signal | undefined;
}

/** Options of a list of documents. */
export interface DocumentsOptions {
  /** Lists only documents whose keys start with this text. Default: all documents. */
  readonly prefix?: string | undefined;
  /** The key to start after, in the order of the bytes of the keys. Default: the beginning. */
  readonly after?: string | undefined;
  /** The largest number of documents: a whole number from 1. Default: no limit. */
  readonly limit?: number | undefined;
}

/** Options of a list of dead letters. */
export interface DeadLettersOptions {
  /** The id to start after. Default: the beginning. */
  readonly after?: number | undefined;
  /** The largest number of letters: a whole number from 1. Default: no limit. */
  readonly limit?: number | undefined;
}

/** The operations on a projection, reactor or process. See {@link EventGateway.consumer} and {@link Client.consumer}. */
export interface ConsumerHandle {
  /** Returns the status of the consumer. */
  status(): Promise<ConsumerStatus>;
  /** Pauses the consumer, also in other processes and after a restart, until you resume it. */
  pause(): Promise<void>;
  /** Resumes the consumer. A waiting attempt starts now. An event before which the consumer has stopped gets new attempts. */
  resume(): Promise<void>;
  /** Retries all dead letters in their order. A waiting attempt starts now. A stopped consumer is resumed. */
  retry(): Promise<void>;
  /**
   * Discards the dead letter with this id; without an id, all dead letters. Returns `false` if there was none. Events that are
   * held because of the letter are held until you retry them.
   */
  discard(id?: number): Promise<boolean>;
  /** Lists the events that the consumer has given up. */
  deadLetters(options?: DeadLettersOptions): AsyncGenerator<DeadLetter, void, undefined>;
}

/** The operations on a registered projection. See {@link EventGateway.projection}. */
export interface ProjectionHandle<Document = unknown> extends ConsumerHandle {
  /**
   * Returns the document with this key, or `undefined` if there is none. With `min`, the call waits until the document
   * covers that event. It runs the projection itself if nobody else does. It waits for at most 5 seconds; with a signal, until
   * you abort the signal. It does not wait for a projection that is paused or stopped before that event.
   *
   * @throws {@link SillokError} `projection_behind` when the document does not cover the event of `min` by then;
   * `invalid_document_key`, `invalid_stream_id`, or `invalid_parameter`, whose `field` names the option.
   */
  get(key: string, options?: GetOptions): Promise<Stored<Document> | undefined>;
  /** Lists the documents in the order of their keys. */
  documents(options?: DocumentsOptions): AsyncGenerator<KeyedDocument<Document>, void, undefined>;
  /** Builds all documents again from the first event. Reads return the old documents until the new ones are complete. */
  rebuild(): Promise<void>;
}
