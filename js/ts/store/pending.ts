// The timers and the sent commands of a stream, as a store lists them.

import { type Rejection, SillokError } from "./errors.js";
import { invalid } from "./invalid.js";
import { writeExactJson } from "./json.js";
import { EVENT_ID_BYTES, TIMER_KEY_BYTES } from "./limits.js";
import { isName } from "./names.js";

/** The attempts at a timer or a sent command. */
export interface Attempts {
  /** The number of attempts that have failed. */
  failedAttempts: number;
  /** The time of the next attempt, after a failed one. */
  nextAttempt?: string;
  /** The error of the last failed attempt. */
  lastError?: { code: string; detail: string };
}

/** A timer of a stream. */
export interface Timer extends Attempts {
  /** The key of the timer, which the aggregate has chosen. */
  key: string;
  /** The time at which the timer is due. */
  due: string;
  /** The command that the aggregate sends to itself. */
  command: { type: string; data: unknown; metadata: unknown };
  /**
   * `due`: the timer is attempted at its time. `parked`: it is not attempted any more. `rejected`: the rules have refused the command;
   * the timer is done, and stays in the list until its key is set again or cancelled.
   */
  state: "due" | "parked" | "rejected";
  /** The rejection of a rejected timer. */
  rejection?: Rejection;
}

/** A command that a process has sent, and that is not answered yet. */
export interface SentCommand extends Attempts {
  /** The id of the command. The receiver remembers the outcome under it. */
  id: string;
  /** The name under which the process gets the answer. */
  name: string;
  /** The stream of the receiver. */
  stream: string;
  /** The time of the decision that sends the command. */
  sent: string;
  /** The command. */
  command: { type: string; data: unknown; metadata: unknown };
  /**
   * `due`: the command is sent until it is answered. `parked`: it is not sent any more, and waits for you. `answered`: a rejection takes
   * the place of the receiver's answer, and the process has not taken it yet.
   */
  state: "due" | "parked" | "answered";
  /** The rejection of an answered command: yours, or `stream_deleted` if the receiver is deleted. */
  rejection?: Rejection;
}

/** The timers and the sent commands of the streams of a store. */
export interface PendingCommands {
  /**
   * Lists the timers of a stream, in the order of their keys. A timer of an aggregate runs in a Worker, or in a program where the
   * aggregate is registered: see {@link EventGateway.run}.
   *
   * @param stream - The stream id.
   * @returns The timers, for `for await`. You can iterate over them once.
   *
   * @example
   * ```ts
   * import { aggregate, EventStore, schedule } from "sillok";
   *
   * const alarm = aggregate<{ type: "Rung" }, { type: "Set" } | { type: "Ring" }, null>("alarm", {
   *   initialState: () => null,
   *   evolve: () => null,
   *   decide: ({ type }) => (type === "Set" ? schedule("ring", new Date("2030-01-01"), { type: "Ring" }) : { type: "Rung" }),
   * });
   * const store = new EventStore();
   * await store.execute("alarm-1", { type: "Set" }, alarm);
   * for await (const { key, due, state } of store.timers("alarm-1")) {
   *   console.log(key, due, state); // ring 2030-01-01T00:00:00.000Z due
   * }
   * console.log(await store.cancelTimer("alarm-1", "ring")); // true
   * ```
   */
  timers(stream: string): AsyncGenerator<Timer, void, undefined>;

  /**
   * Cancels a timer, in any state. The rules of the aggregate do not take part.
   *
   * @param stream - The stream id.
   * @param key - The key of the timer.
   * @returns Whether there was one.
   * @throws {@link SillokError} `invalid_parameter` when the key is not valid.
   */
  cancelTimer(stream: string, key: string): Promise<boolean>;

  /**
   * Attempts a parked timer again, from the first attempt on. Mend the code before.
   *
   * @param stream - The stream id.
   * @param key - The key of the timer.
   * @returns Whether there was a parked one.
   * @throws {@link SillokError} `invalid_parameter` when the key is not valid.
   */
  retryTimer(stream: string, key: string): Promise<boolean>;

  /**
   * Lists the commands that a process has sent and that are not answered yet, in the order of their ids. They are sent in a
   * Worker, or in a program where the process and the receiver are registered: see {@link EventGateway.run}.
   *
   * @param stream - The stream of the process.
   * @returns The sent commands, for `for await`. You can iterate over them once.
   *
   * @example
   * ```ts
   * import { aggregate, EventStore, process, send } from "sillok";
   *
   * const shop = aggregate<{ type: "Sold" }, { type: "Sell" }, null>("shop", {
   *   initialState: () => null,
   *   evolve: () => null,
   *   decide: () => ({ type: "Sold" }),
   * });
   * const order = process<{ type: "Done" }, { type: "Buy" }, null>("order", {
   *   initialState: () => null,
   *   evolve: () => null,
   *   decide: () => send("sale", shop, "7", { type: "Sell" }),
   *   answered: { sale: () => ({ type: "Done" }) },
   * });
   * const store = new EventStore();
   * await store.execute("order-1", { type: "Buy" }, order);
   * for await (const { id, name, stream, state } of store.sent("order-1")) {
   *   console.log(name, stream, state); // sale shop-7 due
   *   console.log(await store.retrySent("order-1", id)); // false
   *   console.log(await store.cancelSent("order-1", id)); // true
   * }
   * ```
   */
  sent(stream: string): AsyncGenerator<SentCommand, void, undefined>;

  /**
   * Sends a parked command again, under the same id and from the first attempt on. Mend the code or the receiver before.
   *
   * @param stream - The stream of the process.
   * @param id - The id of the sent command.
   * @returns Whether there was a parked one.
   * @throws {@link SillokError} `invalid_parameter` when the id is not valid.
   */
  retrySent(stream: string, id: string): Promise<boolean>;

  /**
   * Answers a parked command in place of its receiver. The process takes the rejection as the answer. Do it only if the receiver
   * has not executed the command, such as for a command that it does not know.
   *
   * @param stream - The stream of the process.
   * @param id - The id of the sent command.
   * @param rejection - The rejection: its code, and information about it.
   * @returns Whether there was a parked one.
   * @throws {@link SillokError} `invalid_parameter` when the id or the rejection is not valid.
   */
  rejectSent(stream: string, id: string, rejection: Rejection): Promise<boolean>;

  /**
   * Removes a sent command. It is not sent again, and the process gets no answer. The receiver may have executed it already.
   *
   * @param stream - The stream of the process.
   * @param id - The id of the sent command.
   * @returns Whether there was one.
   * @throws {@link SillokError} `invalid_parameter` when the id is not valid.
   */
  cancelSent(stream: string, id: string): Promise<boolean>;
}

/** The kinds of {@link PendingCommands}. */
export type PendingKind = "timers" | "sent";

/** Refuses a text that is no key of a timer, or no id of a sent command. */
export function checkPendingKey(kind: PendingKind, key: unknown): asserts key is string {
  const [field, most] = kind === "timers" ? ["key", TIMER_KEY_BYTES] : ["id", EVENT_ID_BYTES];
  if (isName(key, most)) return;
  const what = `a string of 1 to ${most} bytes of UTF-8 without control characters`;
  throw invalid(field, `must be ${what}`);
}

/** The JSON of a rejection. */
export function rejectionText(rejection: Rejection): string {
  try {
    return writeExactJson(rejection, "rejection");
  } catch (refused) {
    const { code, message, field = "rejection" } = refused as SillokError;
    const where = code === "invalid_event" ? field : "rejection";
    throw new SillokError({ code: "invalid_parameter", detail: message, field: where });
  }
}
