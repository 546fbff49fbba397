// Failed attempts: what handlers have thrown, and the reports of the engine.

import { invalid } from "../store/invalid.js";
import type { AppFailure, FailureListener } from "./app-failure.js";
import type { ConsumedEvent } from "./definition.js";
import { type FailedAttempt, failedAttempt, stackOf } from "./failed-attempt.js";

/** A failed attempt, as the engine reports it. */
export type FailureReport = Omit<AppFailure, "error" | "consumer" | "tenant"> & {
  readonly error: string;
  readonly stack?: string;
  readonly code?: string;
  readonly isSent?: boolean;
};

/** The most thrown values that wait for their report. */
const MOST_THROWN = 1000;

/** The thrown values of one consumer or stream, until the engine reports their attempts. */
export class Failures {
  readonly #thrown = new Map<
    string,
    { readonly thrown: unknown; readonly attempt: number | undefined }
  >();

  /**
   * Notes what the handler has thrown for an event, given as JSON. Returns the failed attempt for the engine. With the number of the
   * attempt, it is for the report of this attempt alone: an attempt that was given up may throw during the next one.
   */
  note(event: string, thrown: unknown, attempt?: number): FailedAttempt {
    const { stream, version } = JSON.parse(event) as ConsumedEvent;
    // An attempt that was given up before it has thrown is not reported again.
    if (this.#thrown.size >= MOST_THROWN) this.#thrown.clear();
    this.#thrown.set(placeOf(stream, version), { thrown, attempt });
    return failedAttempt(thrown);
  }

  /** The failure of a report. */
  failure(report: FailureReport, of: Pick<AppFailure, "consumer" | "tenant">): AppFailure {
    const { error: text, stack, code, isSent, key, ...reported } = report;
    const place = placeOf(reported.stream, reported.version);
    const noted = this.#thrown.get(place);
    this.#thrown.delete(place);
    const isThrown =
      noted !== undefined && (noted.attempt ?? reported.attempt) === reported.attempt;
    const thrown = isThrown ? noted.thrown : undefined;
    const pending = key === undefined ? {} : isSent === true ? { id: key } : { key };
    return {
      ...of,
      ...pending,
      ...reported,
      error: errorOf(text, { stack, code, isThrown, thrown }),
    };
  }
}

function placeOf(stream: string, version: number | undefined): string {
  return `${version}@${stream}`;
}

interface ErrorParts {
  readonly stack?: string | undefined;
  readonly code?: string | undefined;
  readonly isThrown: boolean;
  readonly thrown: unknown;
}

function errorOf(text: string, { stack, code, isThrown, thrown }: ErrorParts): Error {
  if (thrown instanceof Error) return thrown;
  const error = isThrown ? new Error(text, { cause: thrown }) : new Error(text);
  // Without a stack of its own: this place says nothing.
  Object.defineProperty(error, "stack", { value: stack ?? `Error: ${text}`, configurable: true });
  return code === undefined ? error : Object.assign(error, { code });
}

/** What has failed, as the beginning of a sentence. */
export function subjectOf(failure: AppFailure): string {
  const { consumer, key, id, stream, version, isRebuild } = failure;
  if (id !== undefined) return `the sent command ${id} of ${stream}`;
  if (key !== undefined) return `the timer ${key} of ${stream}`;
  return `${consumer}, at ${stream}@${version}${isRebuild === true ? " of a rebuild" : ""},`;
}

/**
 * Logs a failed attempt, and calls the listener. The error of the listener is logged, and changes nothing.
 *
 * @returns The end of the listener.
 */
export async function reportFailure(
  failure: AppFailure,
  listener: FailureListener | undefined,
): Promise<void> {
  const { error, ...parts } = failure;
  const message = `${subjectOf(failure)} failed in attempt ${failure.attempt}: ${error.message}`;
  console.error({ message, ...parts, stack: stackOf(error) });
  try {
    await listener?.(failure);
  } catch (thrown) {
    console.error("onFailure has failed:", thrown);
  }
}

/**
 * Checks the option `onFailure`.
 *
 * @throws {@link SillokError} `invalid_parameter` when it is no function.
 */
export function checkListener<Listener>(listener: Listener): Listener {
  if (listener === undefined || typeof listener === "function") return listener;
  throw invalid("onFailure", "must be a function");
}
