/**
 * A failed attempt of a handler, at a timer or at a sent command. `onFailure` of a composed Worker and of an
 * {@link EventGateway} gets it, and `memoryApp` of `sillok/testing` lists it.
 */
export interface AppFailure {
  /** The projection, reactor, process, webhook or queue. Undefined for a timer and a sent command. */
  readonly consumer?: string;
  /** The key of the timer. Undefined for a consumer and a sent command. */
  readonly key?: string;
  /** The id of the sent command. Undefined for a consumer and a timer. */
  readonly id?: string;
  /** The tenant, in a Worker. Undefined for the tenant without a name. */
  readonly tenant?: string;
  /** The stream of the event, or the stream that has set the timer or has sent the command. */
  readonly stream: string;
  /** The version of the event. Undefined for a timer and a sent command. */
  readonly version?: number;
  /** The position of the event in the feed; on a server, in its partition. Undefined for a timer and a sent command. */
  readonly position?: number;
  /** True if the event was handled again in a rebuild of a projection. */
  readonly isRebuild?: true;
  /** The number of the attempt. The first attempt is 1. */
  readonly attempt: number;
  /**
   * What follows:
   *
   * - `retry`: another attempt, at {@link AppFailure.retryAt} or later.
   * - `dead-letter`: the event is a dead letter, and the consumer continues.
   * - `stop`: the consumer has stopped before the event, until you resume it.
   * - `pause`: the consumer has paused before the event, because the receiver of its webhook accepts no more
   *   events, or the webhook has no valid URL or secret.
   * - `park`: the timer or the sent command waits until you retry, answer or cancel it.
   */
  readonly next: "retry" | "dead-letter" | "stop" | "pause" | "park";
  /** The time of the next attempt, as text. Undefined if there is none. */
  readonly retryAt?: string;
  /**
   * The error that the handler has thrown. Another thrown value is its `cause`. If the code has thrown nothing, such as for the
   * answer of a receiver, the error has only a message. The error of a timer or of a sent command has a `code`.
   */
  readonly error: Error;
}

/** A function that hears of each failed attempt. */
export type FailureListener = (failure: AppFailure) => unknown;
