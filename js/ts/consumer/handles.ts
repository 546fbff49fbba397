import type { Stored } from "../store/events.js";
import type { Signal } from "../store/options.js";
import type { ConsumedEvent } from "./definition.js";

/** How a consumer does. */
export interface ConsumerStatus {
  /** Its name. */
  name: string;
  /** What it is. */
  kind: "projection" | "reactor";
  /** Whether it may run: `paused` by {@link ConsumerHandle.pause}, `stopped` in front of an event that failed. */
  status: "running" | "paused" | "stopped";
  /** How far it has come. */
  checkpoint: string;
  /** How many events there are that it has not looked at. */
  lag: number;
  /** How far the documents have come that are being built anew, if they are. */
  rebuild: { checkpoint: string; lag: number } | null;
  /** How often the next event has failed. */
  failures: number;
  /** When it is attempted again. */
  retryAt: string | null;
  /** The last error, also of an event that succeeded later. */
  lastError: { message: string; time: string } | null;
  /** How many events it has given up, counted up to 10,000. */
  deadLetters: number;
  /** Whether these are being attempted again. */
  retrying: boolean;
}

/** An event that a consumer has given up. */
export interface DeadLetter {
  /** Its place among the dead letters of the consumer, in the order in which they came. */
  id: number;
  /** Whether its attempts have failed, or it is held because an earlier event of its stream has failed. */
  reason: "failed" | "held";
  /** What the last attempt said; empty where there was none. */
  error: string;
  /** How many attempts there were. */
  attempts: number;
  /** When it was given up. */
  time: string;
  /** The event. */
  event: ConsumedEvent;
}

/** A document and its key. */
export interface KeyedDocument<Document = unknown> {
  /** Its key. */
  key: string;
  /** The document, a fresh copy. */
  document: Stored<Document>;
}

/** Which document to get, and how new it must be. */
export interface GetOptions {
  /** An event that the document must cover, such as what an append answered: it is waited for. Default: none. */
  readonly min?: { readonly stream: string; readonly version: number } | undefined;
  /** Ends the wait when it is aborted, in place of the 5 seconds that it lasts otherwise. */
  readonly signal?: Signal | undefined;
}

/** Which documents to list. */
export interface DocumentsOptions {
  /** With what the keys begin. Default: with anything. */
  readonly prefix?: string | undefined;
  /** The key after which to begin, in the order of the keys' bytes. Default: the first. */
  readonly after?: string | undefined;
  /** The most documents to list: a whole number from 1. Default: all. */
  readonly limit?: number | undefined;
}

/** Which dead letters to list. */
export interface DeadLettersOptions {
  /** The id after which to begin. Default: the first. */
  readonly after?: number | undefined;
  /** The most letters to list: a whole number from 1. Default: all. */
  readonly limit?: number | undefined;
}

/** What can be asked of a projection or a reactor that was registered: see {@link EventGateway.consumer}. */
export interface ConsumerHandle {
  /** How it does. */
  status(): Promise<ConsumerStatus>;
  /** Stops it where it is, also for other processes and for ever, until it is resumed. */
  pause(): Promise<void>;
  /** Lets it go on, and at once with what waits for its next attempt. An event in front of which it had stopped has a new series of attempts. */
  resume(): Promise<void>;
  /** Attempts all dead letters again, in their order, and at once what waits for its next attempt. One that stopped is resumed. */
  retry(): Promise<void>;
  /**
   * Discards the dead letter of this id, or all of them without one; `false` where there was none. Events that are held
   * behind it stay so until they are retried.
   */
  discard(id?: number): Promise<boolean>;
  /** The events that it has given up. */
  deadLetters(options?: DeadLettersOptions): AsyncGenerator<DeadLetter, void, undefined>;
}

/** What can be asked of a projection that was registered: see {@link EventGateway.projection}. */
export interface ProjectionHandle<Document = unknown> extends ConsumerHandle {
  /**
   * The document of this key; `undefined` where there is none. With `min` it waits until the document covers that event,
   * and brings the projection there itself if nobody runs it: for 5 seconds, or until the signal is given where there is
   * one. One that is paused or stopped before that event is not waited for.
   *
   * @throws {@link SillokError} `projection_behind` when the document does not cover the event of `min` by then;
   * `invalid_document_key`, `invalid_stream_id`, or `invalid_parameter`, whose `field` names the option.
   */
  get(key: string, options?: GetOptions): Promise<Stored<Document> | undefined>;
  /** The documents, in the order of their keys. */
  documents(options?: DocumentsOptions): AsyncGenerator<KeyedDocument<Document>, void, undefined>;
  /** Builds all documents anew from the first event, beside those that are read until the new ones take their place. */
  rebuild(): Promise<void>;
}
