// The wasm module as TypeScript sees it.
//
// `worker-build` wraps each method. A method returns a promise instead of its value where `Function` is not the platform's own,
// as in the test runner of Cloudflare. So nothing here uses the value that a method of an object returns, except by `await`.

/** A class in Rust. Its constructor takes the runtime's own arguments. */
type RustClass<Instance> = new (context: any, env: any) => Instance;

/** An object in Rust, with its methods for other objects. */
type RustObject<Methods extends string, Promised extends string = never> = Record<
  Methods,
  (request: unknown) => unknown
> &
  Record<Promised, (request: unknown) => Promise<unknown>> & {
    fetch(request: Request): Promise<Response>;
    alarm(): Promise<unknown>;
  };

/** The module that `worker-build` builds from a Worker in Rust over the crate `sillok-worker`. */
export interface Engine {
  /** Answers HTTP requests. */
  readonly default: RustClass<{ fetch(request: Request): Promise<Response> }>;
  /** Stores one stream. */
  readonly AggregateObject: RustClass<
    RustObject<
      "append" | "read" | "head" | "verify" | "commits" | "pending" | "changePending",
      "truncate" | "delete" | "execute" | "state"
    > & {
      setUp(setUp: (stream: string) => void): unknown;
      behavedBy(make: () => object, isOpen: boolean): unknown;
      remembers(request: unknown): boolean | Promise<boolean>;
    }
  > & {
    /**
     * The categories of the aggregates that are defined in Rust.
     *
     * @throws Error when a registration in Rust is invalid.
     */
    inRust(): string[];
  };
  /** Stores one partition of the journal. */
  readonly JournalObject: RustClass<
    RustObject<
      "register" | "unregister" | "feed" | "streams" | "status",
      "record" | "positionOf"
    > & { setUp(setUp: () => void): unknown; alsoWakes(consumers: string[]): unknown }
  >;
  /** Runs one consumer. */
  readonly ConsumerObject: RustClass<
    RustObject<"wake" | "continueWork", "ask"> & {
      setUp(setUp: (name: string | undefined, tenant: string | undefined) => void): unknown;
      handledBy(definition: string, handler: object): unknown;
      watchedBy(attempts: object, sender: object): unknown;
      wasCutOff(stream: string, version: number, reason: string): unknown;
    }
  > & {
    /**
     * The names of the consumers that are defined in Rust.
     *
     * @throws Error when a registration in Rust is invalid.
     */
    inRust(): string[];
  };
}
