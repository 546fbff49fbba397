// The types of a deployed Worker, as a client sees them.

import type { AnyAggregate } from "../aggregate/aggregate-store.js";

/** The type of a composed Worker, for {@link connect}: `export type App = typeof app` in the file of the Worker. */
export interface AnyApp {
  /** The aggregates of the Worker. There is no such value at run time. */
  readonly "~aggregate"?: AnyAggregate | undefined;
}

/** The union of the aggregates of a Worker. */
export type AggregateOf<App extends AnyApp> = NonNullable<App["~aggregate"]>;

/** The names of the aggregates of a Worker. */
export type AggregateName<App extends AnyApp> = AggregateOf<App>["name"];

/**
 * The aggregate with this name. `aggregate<Event, Command, State>(…)` has the name `string`, because its type parameters are
 * given: such an aggregate has every name.
 */
export type AggregateNamed<App extends AnyApp, Name extends string> =
  AggregateOf<App> extends infer A extends AnyAggregate
    ? A extends AnyAggregate
      ? Name extends A["name"]
        ? A
        : never
      : never
    : never;
