// A reactor whose handler is interrupted once, as by a crash after one of its effects.

import type { Reactor, ReactorContext } from "sillok";

type Handle = (event: any, context: ReactorContext<any>) => unknown;

/** The repeat comes at once: the time of the application must be nearly that of a run without an interruption. */
const DELAY_MILLIS = 1;
/** The most effects. Each of them is a run of its own, and a reactor that reacts to itself has no last one. */
const MOST_EFFECTS = 1000;

/** Thrown in place of the result of an effect. */
class Interrupted extends Error {}

/** Counts the effects of all attempts, and interrupts the handler once. */
export class Interruption {
  readonly #after: number;
  #current: { isOver: boolean } | undefined;
  /** What each effect has called, such as `append to letter-1`. */
  readonly effects: string[] = [];

  /** Interrupts after the effect with this number, from 1. Without a number, nothing is interrupted. */
  constructor(after = Infinity) {
    this.#after = after;
  }

  /** Whether an error is that of an interruption. */
  static is(error: unknown): boolean {
    return error instanceof Interrupted;
  }

  /** The reactor with a handler that is interrupted. An interrupted attempt does not use up the attempts of the reactor. */
  reactor(reactor: Reactor<any, any>): Reactor<any, any> {
    const { on, attempts } = reactor;
    const handle = async (event: { type: string }, context: ReactorContext) => {
      const handler: Handle = typeof on === "function" ? on : (on as any)[event.type];
      const attempt = { isOver: false };
      this.#current = attempt;
      const watched = {
        ...context,
        append: this.#effect(attempt, (to, ..._) => `append to ${to}`, context.append),
        execute: this.#effect(attempt, (to, ..._) => `execute at ${to}`, context.execute),
      };
      try {
        await handler(event, watched as ReactorContext);
      } finally {
        // A handler that catches the error is interrupted all the same.
        this.#check(attempt);
      }
    };
    const policy = { attempts: attempts + 1, firstDelay: DELAY_MILLIS, longestDelay: DELAY_MILLIS };
    return Object.freeze({ ...reactor, ...policy, on: handle });
  }

  /** The environment: each call of one of its functions, or of a function of a service in it, is an effect. */
  env(env: unknown, name = "env", depth = 1): unknown {
    if (typeof env !== "object" || env === null) return env;
    // The proxy has a target of its own, because the properties of a frozen environment are fixed.
    return new Proxy(Object.create(env) as object, {
      get: (_, key) => {
        const value: unknown = Reflect.get(env, key);
        const path = `${name}.${String(key)}`;
        if (typeof value !== "function")
          return depth > 0 ? this.env(value, path, depth - 1) : value;
        return (...args: unknown[]) => {
          const call = () => Reflect.apply(value, env, args) as unknown;
          return this.#effect(this.#current, () => path, call)();
        };
      },
    });
  }

  #effect<Args extends unknown[]>(
    attempt: { isOver: boolean } | undefined,
    named: (...args: Args) => string,
    call: (...args: Args) => unknown,
  ): (...args: Args) => unknown {
    const done = () => {
      this.#check(attempt);
      if (this.effects.length !== this.#after || attempt === undefined) return;
      attempt.isOver = true;
      this.#check(attempt);
    };
    return (...args) => {
      this.#check(attempt);
      if (this.effects.length === MOST_EFFECTS) {
        throw new Error(
          `the reactor has more than ${MOST_EFFECTS} effects: does it react to itself?`,
        );
      }
      this.effects.push(named(...args));
      const result = call(...args);
      if (typeof (result as PromiseLike<unknown> | undefined)?.then === "function") {
        return (async () => {
          try {
            return await result;
          } finally {
            done();
          }
        })();
      }
      done();
      return result;
    };
  }

  /** Nothing happens in an attempt after its interruption. */
  #check(attempt: { isOver: boolean } | undefined): void {
    if (attempt?.isOver) throw new Interrupted("the test has interrupted the handler");
  }
}
