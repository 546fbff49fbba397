// The wasm module as TypeScript sees it.

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
      stream(): string;
      behavedBy(make: () => object, isOpen: boolean): void;
      isSetUp(): boolean;
      remembers(request: unknown): boolean;
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
    > & { alsoWakes(consumers: string[]): void; isSetUp(): boolean }
  >;
  /** Runs one consumer. */
  readonly ConsumerObject: RustClass<
    RustObject<"wake" | "continueWork", "ask"> & {
      name(): string;
      tenant(): string | undefined;
      handledBy(definition: string, handler: object): void;
      watchedBy(attempts: object, sender: object): void;
      wasCutOff(stream: string, version: number, reason: string): void;
      isSetUp(): boolean;
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
