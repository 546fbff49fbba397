import type { ConsumerHandle } from "../consumer/handles.js";

/**
 * The operations on a consumer of a deployed Sillok: its status, its dead letters and its operation. See {@link Client.consumer}.
 *
 * `status` and `deadLetters` need a token with the scope `read`. All other operations need the scope `admin`.
 * `discard()` without an id returns `true` also when there was no dead letter.
 *
 * Each method throws a {@link SillokError} `consumer_not_found` when the server has no such consumer, and the errors of a request
 * as {@link AggregateClient.execute} does.
 */
export interface ConsumerClient extends ConsumerHandle {
  /** The name of the consumer. */
  readonly name: string;
  /**
   * Builds all documents of a projection again from the first event. Reads return the old documents until the new ones are
   * complete.
   *
   * @throws {@link SillokError} `not_a_projection` for another consumer.
   */
  rebuild(): Promise<void>;
}
