// The types of projections, reactors and gateways; a part of types.test.ts.

/** This program checks itself. Each line below `@ts-expect-error` must be an error, and no other line may be one. */
export const CONSUMERS = `
import {
  aggregate, EventGateway, EventHandler, EventStore, projection, reactor, type AnyConsumer, type AppendResult,
  type ConsumerHandle, type ConsumerStatus, type DeadLetter, type FeedEvent, type NewEvent, type Projection,
  type ProjectionHandle, type Reactor, type ReactorContext, type RecordedEvent, type ReplayOptions, type ReplayProgress, type RunOptions,
} from "sillok";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(_proof?: T): void {}

type Deposited = { type: "Deposited"; data: { amount: number; at: Date; note?: string } };
type Closed = { type: "Closed" };
interface Noted extends NewEvent { type: "Noted"; data?: readonly string[]; metadata: { by: string } }
type AccountEvent = Deposited | Closed | Noted;

const store = new EventStore();
const counter = aggregate<Deposited, Closed, number>("counter", {
  initialState: () => 0, evolve: (sum) => sum, decide: () => [],
});

export function consumers(): void {
  const balances = projection<AccountEvent, { amount: number; since?: Date }>("balances", {
    category: "account",
    on: {
      Deposited(event, documents) {
        is<Equal<typeof event.data.amount, number>>();
        is<Equal<typeof event.data.at, string>>();
        is<Equal<typeof event.position, number>>();
        const known = documents.get(event.stream);
        is<Equal<typeof known, { amount: number; since?: string } | undefined>>();
        documents.put(event.stream, { amount: (known?.amount ?? 0) + event.data.amount });
        // @ts-expect-error a document is what the projection says
        documents.put(event.stream, { balance: 5 });
      },
      Closed: (event, documents) => documents.delete(event.stream),
    },
    onFailure: "hold-stream",
  });
  is<Equal<typeof balances, Projection<AccountEvent, { amount: number; since?: Date }>>>();
  projection("any", { on: (event, documents) => documents.put(event.type, documents.get("x")) });
  projection("any", {
    on: {
      Opened(event, documents) {
        is<Equal<typeof event.data, unknown>>();
        documents.put(event.type, documents.get("x"));
      },
    },
  });
  // @ts-expect-error a projection's handler is synchronous
  projection("any", { on: async (event, documents) => documents.put(event.type, 1) });
  // @ts-expect-error in whatever form
  projection<AccountEvent>("any", { on: { Closed: async () => {} } });
  // @ts-expect-error there is no such event
  projection<AccountEvent>("any", { on: { Opened() {} } });
  // @ts-expect-error a definition is not altered
  balances.attempts = 5;
  const billing: Reactor<AccountEvent> = reactor<AccountEvent>("billing", {
    on: {
      Noted: async (event, context) => {
        is<Equal<typeof event.metadata, { by: string }>>();
        const result = await context.append("s", { type: "Closed" }, { expectedVersion: "any" });
        is<Equal<typeof result, AppendResult>>();
        // @ts-expect-error its keys are its own
        await context.append("s", { type: "Closed" }, { idempotencyKey: "k" });
        is<Equal<typeof context.attempt, number>>();
      },
    },
  });
  reactor<AccountEvent, { KEY: string }>("any", {
    on: {
      async Closed(event, { env, read, load }) {
        is<Equal<typeof env, { KEY: string }>>();
        for await (const { data } of read<Deposited>(event.stream, { limit: 1 })) {
          is<Equal<typeof data.amount, number>>();
        }
        // @ts-expect-error there is no such option
        read(event.stream, { after: 1 });
        const { state, version } = await load(event.stream, counter, { version: 1 });
        is<Equal<[typeof state, typeof version], [number, number]>>();
      },
    },
  });
  const bound = reactor("any", { on: (_, context: ReactorContext<{ KEY: string }>) => context.env.KEY });
  is<Equal<typeof bound, Reactor<NewEvent, { KEY: string }>>>();
  reactor("any", { on: (_, { env }) => is<Equal<typeof env, unknown>>() });
  new EventGateway(store).register(bound);
  reactor("any", { on: async (event, { id }) => [event.stream, id, billing.name] });
  reactor("any", { on: { Opened: (event, { append }) => append(event.stream, { type: event.type }) } });
  // @ts-expect-error there is nothing else to do
  reactor("any", { on() {}, onFailure: "give-up" });
  void gateways(balances, billing);
}

async function gateways(
  balances: Projection<AccountEvent, { amount: number; since?: Date }>,
  billing: Reactor<AccountEvent>,
  options: RunOptions = {},
): Promise<void> {
  const gateway: EventGateway = new EventGateway(store).register(balances, billing);
  const registered: AnyConsumer[] = [balances, billing];
  gateway.register(...registered);
  // @ts-expect-error a name is no consumer
  gateway.register({ kind: "projection", name: "balances" });
  // @ts-expect-error a handler is no consumer
  gateway.register(new EventHandler());
  const documents = gateway.projection(balances);
  const found = await documents.get("s", { min: { stream: "s", version: 1 } });
  is<Equal<typeof found, { amount: number; since?: string } | undefined>>();
  for await (const { key, document } of documents.documents({ prefix: "a" })) {
    is<Equal<typeof key, string>>();
    is<Equal<typeof document, { amount: number; since?: string }>>();
  }
  const named: ProjectionHandle = gateway.projection("balances");
  is<Equal<Awaited<ReturnType<typeof named.get>>, unknown>>();
  // @ts-expect-error a reactor has no documents
  gateway.projection(billing);
  const consumer: ConsumerHandle = gateway.consumer(billing);
  const status: ConsumerStatus = await consumer.status();
  is<Equal<typeof status.status, "running" | "paused" | "stopped">>();
  for await (const letter of consumer.deadLetters({ limit: 1 })) is<Equal<typeof letter, DeadLetter>>();
  is<Equal<ReturnType<typeof consumer.discard>, Promise<boolean>>>();
  reactor("late", { on() {}, after: "0" });
  // @ts-expect-error a projection is made of all events
  projection("late", { on() {}, after: "0" });
  await gateway.run(options);
  await gateway.catchUp();
  class Counter extends EventHandler<RecordedEvent<Closed>> {}
  const progress = await gateway.replay<Closed>(new Counter(), { stream: "s", onProgress: ({ end }) => end });
  is<Equal<typeof progress, ReplayProgress>>();
  class Places extends EventHandler<FeedEvent<Closed>> {}
  await gateway.replay<Closed>(new Places());
  await gateway.replay(new Places(), { category: "account", stream: undefined });
  await gateway.replay({ handleEvent: (event) => is<Equal<typeof event, FeedEvent>>() });
  await gateway.replay<AccountEvent>({
    handleEvent(event) {
      is<Equal<typeof event.position, number>>();
      is<Equal<typeof event.checkpoint, string>>();
      if (event.type === "Deposited") is<Equal<typeof event.data.amount, number>>();
    },
  }, { types: ["Deposited"] });
  await gateway.replay({ handleEvent: (event) => is<Equal<typeof event, RecordedEvent>>() }, { stream: "s" });
  const some: ReplayOptions = { stream: "s" };
  await gateway.replay({ handleEvent: (event) => is<Equal<typeof event, RecordedEvent>>() }, some);
  // @ts-expect-error there is no such option
  await gateway.replay(new Counter(), { all: true });
}
`;
