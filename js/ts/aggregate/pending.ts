import type { Literal } from "./aggregate.js";
import type { AnyAggregate } from "./aggregate-store.js";
import type { Command, CommandOf } from "./types.js";

/** Any command. Where the compiler expects this type, it does not widen the literals in a command. */
export interface LiteralCommand<Type extends string> extends Command {
  /** The name of the command. */
  readonly type: Type;
  /** The content of the command. */
  readonly data?: Literal;
}

/** The result of {@link schedule}, for a decision. */
export interface Scheduled<C extends Command = Command> {
  /** The timer. */
  readonly schedule: {
    /** The key of the timer. */
    readonly key: string;
    /** The time of the command: a `Date`, or milliseconds since 1970. */
    readonly at: number | Date;
    /** The command. */
    readonly command: C;
  };
}

/** The result of {@link cancel}, for a decision. */
export interface Cancelled {
  /** The timer to remove. */
  readonly cancel: {
    /** The key of the timer. */
    readonly key: string;
  };
}

/** The result of {@link send}, for a decision of a process. */
export interface Sent<Name extends string = string> {
  /** The command to send. */
  readonly send: {
    /** The name of the sent command. The answer has the same name. */
    readonly name: Name;
    /** The aggregate or the process that gets the command. */
    readonly aggregate: { readonly name: string };
    /** The part of the stream id after the name of the aggregate, such as `42` of `account-42`. */
    readonly id: string;
    /** The command. */
    readonly command: Command;
  };
}

/**
 * Sets a timer: a command that the aggregate gets at a time. A decision returns it, alone or beside events. The store writes it
 * in the same transaction as the events. The command never comes early. After a crash it is sent again, but takes effect once.
 *
 * @param key - The key of the timer: 1 to 200 bytes of UTF-8 without control characters. A timer with this key is replaced.
 * @param at - The time: a `Date`, or milliseconds since 1970. A time in the past is due at once.
 * @param command - A command of the same aggregate.
 *
 * @example
 * ```ts
 * import { aggregate, cancel, schedule } from "sillok";
 * import { given } from "sillok/testing";
 *
 * const HOUR = 60 * 60 * 1000;
 * type Event = { type: "Reserved" | "Bought" | "Released" };
 * type Command = { type: "Reserve" | "Buy" | "Release" };
 *
 * const seat = aggregate<Event, Command, string>("seat", {
 *   initialState: () => "free",
 *   evolve: (_, { type }) => type,
 *   decide({ type }, state, { now }) {
 *     if (type === "Reserve") return [{ type: "Reserved" }, schedule("release", now + HOUR, { type: "Release" })];
 *     if (state !== "Reserved") return [];
 *     return type === "Buy" ? [{ type: "Bought" }, cancel("release")] : { type: "Released" };
 *   },
 * });
 * given(seat).when({ type: "Reserve" }, { now: 5 }).thenScheduled("release", HOUR + 5, { type: "Release" });
 * given(seat, [{ type: "Reserved" }]).when({ type: "Buy" }).then({ type: "Bought" }).thenCancelled("release");
 * const { key, at } = schedule("release", HOUR, { type: "Release" }).schedule;
 * console.log(key, at); // release 3600000
 * ```
 */
export function schedule<C extends LiteralCommand<Type>, Type extends string>(
  key: string,
  at: number | Date,
  command: C,
): Scheduled<C> {
  return Object.freeze({ schedule: Object.freeze({ key, at, command }) });
}

/**
 * Removes a timer. A decision returns it, alone or beside events. Without a timer of this key, it changes nothing. A timer that
 * is due, but whose command was not decided yet, is removed too.
 *
 * @param key - The key of the timer, as {@link schedule} got it.
 */
export function cancel(key: string): Cancelled {
  return Object.freeze({ cancel: Object.freeze({ key }) });
}

/**
 * Sends a command to another stream. Only a decision of a {@link process} returns it, alone or beside events. The store writes
 * it in the same transaction as the events, and delivers it until there is an answer. The command takes effect once. The
 * process gets the answer in `answered`, under the name of the sent command. Without a function of this name, the decision is
 * refused: nothing is stored.
 *
 * @param name - The name of the sent command, such as `debit`: the name of a function in `answered`.
 * @param aggregate - The aggregate or the process that gets the command.
 * @param id - The part of the stream id after the name of the aggregate: `42` for the stream `account-42`.
 * @param command - A command of that aggregate.
 */
export function send<A extends AnyAggregate, Name extends string = string>(
  name: Name,
  aggregate: A,
  id: string,
  command: CommandOf<NoInfer<A>>,
): Sent<Name> {
  return Object.freeze({ send: Object.freeze({ name, aggregate, id, command }) });
}

/** Whether an object without a `type` is a timer or a sent command, of this copy of the package or another one. */
export function isPendingObject(part: object): part is Scheduled | Cancelled | Sent {
  return "schedule" in part || "cancel" in part || "send" in part;
}
