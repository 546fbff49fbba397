import { useCallback, useRef, useState } from "react";

import type { AnyAggregate, CommandOutcome } from "../aggregate/aggregate-store.js";
import type { CommandOf, EventOf, RejectionOf } from "../aggregate/types.js";
import type { CommandOptions } from "../client/aggregate-client.js";
import { useClient } from "./context.js";

/** The commands of a component to one aggregate. See {@link useCommand}. */
export interface LiveCommand<A extends AnyAggregate = AnyAggregate> {
  /**
   * Sends a command, as {@link AggregateClient.attempt} does. The promise is never rejected. Its result is undefined after an
   * error, which is in `error`.
   */
  readonly execute: (
    command: CommandOf<NoInfer<A>>,
    options?: CommandOptions,
  ) => Promise<CommandOutcome<EventOf<A>, RejectionOf<A>> | undefined>;
  /** Whether a command has no answer yet. */
  readonly pending: boolean;
  /** The error of the last command, usually a {@link SillokError}. A rejection is none. */
  readonly error: unknown;
  /** The rejection of the last command, if the rules have refused it. */
  readonly rejection: RejectionOf<A> | undefined;
}

type Answered<A extends AnyAggregate> = Pick<LiveCommand<A>, "pending" | "error" | "rejection">;

const IDLE: Answered<any> = { pending: false, error: undefined, rejection: undefined };

/** The answer to a command of this stream. */
interface Shown<A extends AnyAggregate> {
  readonly stream: string;
  readonly answered: Answered<A>;
}

/**
 * Sends commands to an aggregate, and has the answer to the last one. Pass the type of the aggregate:
 * `useCommand<typeof account>("account", "42")`.
 *
 * @param name - The name of the aggregate.
 * @param id - The text after the `-` of the stream id.
 * @returns `execute`, and the state of the last command: `pending`, `error` and `rejection`.
 */
export function useCommand<A extends AnyAggregate = AnyAggregate>(
  name: A["name"],
  id: string,
): LiveCommand<A> {
  const client = useClient<{ readonly "~aggregate"?: A }>();
  const stream = `${name}-${id}`;
  const [shown, setShown] = useState<Shown<A>>({ stream, answered: IDLE });
  // The number of the last command. An answer to an earlier one is not shown.
  const last = useRef(0);
  const execute = useCallback<LiveCommand<A>["execute"]>(
    async (command, options) => {
      const own = (last.current += 1);
      const show = (state: Partial<Answered<A>>) => {
        if (own === last.current) setShown({ stream, answered: { ...IDLE, ...state } });
      };
      show({ pending: true });
      try {
        const outcome = (await client
          .aggregate(name as never, id)
          .attempt(command as never, options)) as CommandOutcome<EventOf<A>, RejectionOf<A>>;
        show(outcome.accepted ? {} : { rejection: outcome.rejection });
        return outcome;
      } catch (error) {
        show({ error });
        return undefined;
      }
    },
    [client, name, id, stream],
  );
  return { execute, ...(shown.stream === stream ? shown.answered : (IDLE as Answered<A>)) };
}
