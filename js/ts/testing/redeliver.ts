// Tests that a reactor may be interrupted: its events are then delivered again.

import type { Reactor } from "sillok";

import { difference } from "../aggregate/difference.js";
import { fieldAt } from "../store/json.js";
import { invalid } from "../store/invalid.js";
import { checkOptions } from "../store/options.js";
import { DifferenceError } from "./difference-error.js";
import { Interruption } from "./interruption.js";
import { MemoryApp, type MemoryAppOptions, wrapped } from "./memory-app.js";

/** The definitions of the application around the reactor, and what is done in it. */
export interface RedeliverOptions<Env = unknown> extends Omit<
  MemoryAppOptions,
  "env" | "onFailure"
> {
  /**
   * Does what the reactor reacts to, in a new application in memory: sends commands, or appends to `app.store` and then calls
   * `app.advance(0)`. It is called for each run, and must do the same each time.
   */
  readonly when: (app: MemoryApp<any>) => unknown;
  /** Makes the environment of the reactor, with new fakes of its services. It is called for each run. */
  readonly env?: (() => Env) | undefined;
  /** Returns what the services of the environment have in the end. It is compared as the events are. */
  readonly outcome?: ((env: Env) => unknown) | undefined;
}

/** What {@link redeliver} has done. */
export interface Redelivered {
  /** The effects of a run without an interruption, such as `append to letter-1` or `env.MAIL.send`, in their order. */
  readonly effects: readonly string[];
}

const OPTIONS = [
  "aggregates",
  "processes",
  "projections",
  "reactors",
  "now",
  "env",
  "when",
  "outcome",
] as const satisfies (keyof RedeliverOptions)[];

/**
 * Tests that a reactor may be interrupted. It first runs your `when` without an interruption. Then it runs it again for each effect
 * of the reactor's handler, and interrupts the handler after this effect, as a crash does: the event is delivered again.
 * Every run must end with the same events in all streams, and with the same `outcome`.
 *
 * Effects are the calls of `context.append` and `context.execute`, and of the functions of `context.env` and of the services in it.
 * Other calls, such as of the global `fetch`, are not seen: give your handler what it calls by `env`.
 *
 * The ids and the times of events are not compared. An id in the data of an event or in the name of a stream is replaced by the place
 * of its event in the feed.
 *
 * @param reactor - The reactor.
 * @param options - What is done, and the definitions around the reactor.
 * @returns The effects.
 * @throws DifferenceError, an `AssertionError` that names the effect and shows the difference, if a run ends otherwise;
 * {@link SillokError} `invalid_parameter` when an option is invalid, or the reactor has no effect; the failure of a handler that was
 * not interrupted, also of one with more than 1,000 effects in a run.
 *
 * @example
 * ```ts
 * import { reactor } from "sillok";
 * import { redeliver } from "sillok/testing";
 *
 * type Placed = { type: "Placed"; data: { to: string } };
 * type Env = { mail: { send(id: string, to: string): Promise<void> } };
 * const mailer = reactor<Placed, Env>("mailer", {
 *   on: {
 *     async Placed({ stream, data }, { id, env, append }) {
 *       await env.mail.send(id, data.to);
 *       await append(`letter-${stream}`, { type: "Sent" });
 *     },
 *   },
 * });
 *
 * const { effects } = await redeliver(mailer, {
 *   async when(app) {
 *     await app.store.append("order-1", { type: "Placed", data: { to: "ada@example.com" } });
 *     await app.advance(0);
 *   },
 *   env: () => {
 *     const sent = new Map<string, string>();
 *     // This service drops repeats by the id of the delivery.
 *     return { mail: { send: async (id: string, to: string) => void sent.set(id, to) }, sent };
 *   },
 *   outcome: ({ sent }) => [...sent.values()],
 * });
 * console.log(effects); // [ 'env.mail.send', 'append to letter-order-1' ]
 * ```
 */
export async function redeliver<Env, Given extends Env = Env>(
  reactor: Reactor<any, Env>,
  options: RedeliverOptions<Given>,
): Promise<Redelivered> {
  checkOptions(options, OPTIONS);
  for (const name of ["when", "env", "outcome"] as const) {
    const isMissing = name !== "when" && options[name] === undefined;
    if (!isMissing && typeof options[name] !== "function")
      throw invalid(name, "must be a function");
  }
  const whole = new Interruption();
  const expected = await endOf(reactor, options, whole);
  const { effects } = whole;
  if (effects.length === 0) throw invalid("when", "must lead to an effect of the reactor");
  for (const [place, effect] of effects.entries()) {
    const actual = await endOf(reactor, options, new Interruption(place + 1));
    const path = difference(actual, expected);
    if (path === undefined) continue;
    const what = `interrupted after its effect ${place + 1}, ${effect}, the reactor ${reactor.name}`;
    const headline = `${what} ends otherwise: \`${fieldAt("", path)}\` differs`;
    throw new DifferenceError(headline, expected, actual);
  }
  return { effects };
}

/** What is there in the end of a run. */
async function endOf(
  reactor: Reactor<any, any>,
  { when, env: make, outcome, reactors = [], ...parts }: RedeliverOptions<any>,
  interruption: Interruption,
): Promise<object> {
  const env = make?.();
  const app = new MemoryApp({
    ...parts,
    reactors: [...reactors, interruption.reactor(reactor)],
    env: interruption.env(env),
    onFailure: "list",
  });
  await when(app);
  // Twice the delay of the repeat.
  await app.advance(2);
  for (const failure of app.failures) {
    if (!Interruption.is(failure.error)) throw wrapped(failure);
  }
  return { streams: await streamsOf(app), ...(outcome && { outcome: await outcome(env) }) };
}

/** An id that the store has made. */
const MADE_ID = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/;

/** The events of all streams. Each made id of an event in them is replaced by the place of the event in the feed. */
async function streamsOf({ store }: MemoryApp): Promise<unknown> {
  const streams: Record<string, unknown[]> = {};
  const ids: string[] = [];
  for await (const { stream, id, type, data } of store.readAll()) {
    ids.push(id);
    (streams[stream] ??= []).push(data === undefined ? { type } : { type, data });
  }
  let text = JSON.stringify(streams);
  // An id of the test's own is the same in every run.
  for (const [place, id] of ids.entries()) {
    if (MADE_ID.test(id)) text = text.replaceAll(id, `event ${place + 1}`);
  }
  return JSON.parse(text);
}
