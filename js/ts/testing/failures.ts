/** A failed attempt of a handler, a timer or a sent command, in an application of `memoryApp`. */
export interface AppFailure {
  /** The projection, reactor or process whose handler has failed. Undefined for a timer and a sent command. */
  readonly consumer?: string;
  /** The key of the timer, or the id of the sent command. Undefined for a handler. */
  readonly key?: string;
  /** The stream of the event, or the stream that has set the timer or has sent the command. */
  readonly stream: string;
  /** The version of the event. Undefined for a timer and a sent command. */
  readonly version?: number;
  /** The number of the attempt. The first attempt is 1. */
  readonly attempt: number;
  /** The error. Its message says what has failed. Its `cause` is what the handler has thrown, or the stored error of a timer or a command. */
  readonly error: Error;
}
