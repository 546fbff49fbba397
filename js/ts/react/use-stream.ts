import type { NewEvent, RecordedEvent } from "../store/events.js";
import { useClient } from "./context.js";
import { type Source, useShared } from "./shared.js";

/** Options of {@link useStream}. */
export interface UseStreamOptions {
  /** The version to start after. Default: 0, the beginning of the stream. */
  readonly after?: number | undefined;
}

/** The events that a component shows. See {@link useStream}. */
export interface LiveStream<E extends NewEvent = NewEvent> {
  /** The events so far, in their order. They stay in memory until the component is unmounted. */
  readonly events: readonly RecordedEvent<E>[];
  /** The error that has ended the subscription, usually a {@link SillokError}. A lost connection is no error. */
  readonly error: unknown;
}

const INITIAL: LiveStream<never> = Object.freeze({
  events: Object.freeze([]) as readonly never[],
  error: undefined,
});

/**
 * The events of a stream after a version, live: the component renders again with each new event. All components with the same
 * stream and version share one connection, which is closed when the last of them is unmounted.
 *
 * @param stream - The stream id.
 * @param options - The version to start after.
 * @returns The events so far, and the error.
 */
export function useStream<E extends NewEvent = NewEvent>(
  stream: string,
  { after = 0 }: UseStreamOptions = {},
): LiveStream<E> {
  const client = useClient();
  const source: Source<LiveStream<E>, RecordedEvent<E>> = {
    key: JSON.stringify(["stream", stream, after]),
    initial: INITIAL as unknown as LiveStream<E>,
    follow: (signal) => client.store.subscribe<E>(stream, { after, signal }),
    take() {
      const events: RecordedEvent<E>[] = [];
      return (event) => {
        events.push(event);
        return { events: [...events], error: undefined };
      };
    },
    failed: ({ events }, error) => ({ events, error }),
  };
  return useShared(client, source);
}
