import type { AppendResult, NewEvent, SillokError } from "sillok";

import { commandKey } from "../support/command-key.ts";
import { type Said, telling, told } from "../support/telling.ts";
import type { Behaviours } from "./behaviour.ts";
import { codeOf, count, type Counted, sums } from "./behaviour-consume.ts";
import { all, rejection, same, thrown } from "./check.ts";

/** Reactors over a store in the same program: how consumers run, and what a reactor cannot do. */
export const reacting: Behaviours = {
  async "a reactor's commands take effect once, and name their cause"(sillok) {
    const store = new sillok.EventStore();
    const attempts: number[] = [];
    const billing = sillok.reactor("billing", {
      category: "order",
      on: {
        async Placed(event, context) {
          attempts.push(context.attempt);
          same(/^[0-9a-f]{32}$/.test(context.id), true);
          const invoice = `invoice-${event.stream}`;
          await context.append(invoice, { type: "Issued" }, { expectedVersion: "no-stream" });
          if (context.attempt < 3) throw new Error("the second command is lost");
          await context.append("audit", [{ type: "Billed" }, { type: "Noted" }]);
        },
      },
      firstDelay: 1,
    });
    const gateway = new sillok.EventGateway(store).register(billing);
    await store.append("order-1", {
      type: "Placed",
      id: "placed-1",
      metadata: { correlationId: "c-1" },
    });
    await gateway.catchUp();
    same(attempts, [1, 2, 3]);
    const [issued, ...more] = await all(store.read("invoice-order-1"));
    same(more, []);
    same(issued?.metadata, { correlationId: "c-1", causationId: "placed-1" });
    same(
      (await all(store.read("audit"))).map(({ type }) => type),
      ["Billed", "Noted"],
    );
  },

  async "a client that first appends under a reactor's key prevents no write"(sillok) {
    const store = new sillok.EventStore();
    const event = { stream: "order-1", version: 1, id: "placed-1" };
    const idempotencyKey = await commandKey("billing", event, 1);
    const client = () => store.append("invoice", { type: "FromClient" }, { idempotencyKey });
    same((await client()).replayed, false);
    await store.append(event.stream, { type: "Placed", id: event.id });
    const appended: AppendResult[] = [];
    const billing = sillok.reactor("billing", {
      category: "order",
      on: {
        async Placed(_, { append, attempt }) {
          appended.push(await append("invoice", { type: "Issued" }));
          if (attempt === 1) throw new Error("it is handled again");
        },
      },
      firstDelay: 1,
    });
    await new sillok.EventGateway(store).register(billing).catchUp();
    same(
      appended.map(({ version, replayed }) => [version, replayed]),
      [
        [2, false],
        [2, true],
      ],
    );
    same((await client()).replayed, true);
    const lines = (await all(store.exportCommits("invoice"))).map((line) => JSON.parse(line));
    same(
      lines.map(({ key, keyOrigin }) => [key, keyOrigin]),
      [
        [idempotencyKey, "client"],
        [idempotencyKey, "reactor"],
      ],
    );
    same((await store.verify("invoice")).intact, true);
  },

  async "an append without room for its cause is refused and named, and other code has turns"(
    sillok,
  ) {
    const store = new sillok.EventStore();
    const correlationId = "c".repeat(16 * 1024 - '{"correlationId":""}'.length);
    await store.append("order-1", { type: "Placed", metadata: { correlationId } });
    const half = { correlationId: correlationId.slice(8000) };
    await store.append("order-2", { type: "Placed", metadata: half });
    const outcomes: unknown[] = [];
    const billing = sillok.reactor("billing", {
      category: "order",
      on: {
        async Placed(_, { append }) {
          const events = (count: number, metadata = {}) =>
            append("invoice", Array<NewEvent>(count).fill({ type: "Issued", metadata })).then(
              ({ version }) => version,
              ({ code, field }: SillokError) => [code, field],
            );
          outcomes.push(
            await events(2),
            await events(200),
            await events(1, { correlationId: "own" }),
          );
        },
      },
    });
    await new sillok.EventGateway(store).register(billing).catchUp();
    const noRoom = ["metadata_too_large", "events[0].metadata"];
    same(outcomes, [noRoom, noRoom, 1, 3, ["commit_too_large", "events"], 4]);
    same((await all(store.read("invoice"))).length, 4);
  },

  async "an append that cannot be sent is counted too, and those after it take effect once"(
    sillok,
  ) {
    const store = new sillok.EventStore();
    await store.append("say-1", { type: "Said" });
    const reacts = sillok.reactor<Said>("telling", telling);
    await new sillok.EventGateway(store).register(reacts).catchUp();
    for (const [at, stream] of told.entries()) {
      const places = (await all(store.read(stream))).map(
        ({ data }) => (data as { place: 1 }).place,
      );
      same(places, [at + 1]);
    }
  },

  async "an event that can never succeed is given up at once, but not for an error of the handler's own"(
    sillok,
  ) {
    const store = new sillok.EventStore();
    await store.append("s-1", [{ type: "Large" }, { type: "Invalid" }, { type: "Own" }]);
    const attempted: string[] = [];
    const wrong = sillok.reactor("wrong", {
      attempts: 2,
      firstDelay: 1,
      async on({ type }, { append, attempt }) {
        attempted.push(`${type} ${attempt}`);
        if (type === "Own") throw new Error("invalid_event");
        const event = type === "Large" ? { type, data: "x".repeat(1 << 20) } : { type: "" };
        await append("t-1", event);
      },
    });
    const documents = sillok.projection<NewEvent, unknown>("documents", {
      attempts: 2,
      firstDelay: 1,
      on({ type }, documents) {
        if (type === "Large") documents.put(type, "x".repeat(1 << 20));
        if (type === "Invalid") documents.put("", type);
        if (type === "Own") throw new Error("its own");
      },
    });
    const gateway = new sillok.EventGateway(store).register(wrong, documents);
    await gateway.catchUp();
    same(attempted, ["Large 1", "Invalid 1", "Own 1", "Own 2"]);
    for (const consumer of [gateway.consumer(wrong), gateway.projection(documents)]) {
      const attempts = (await all(consumer.deadLetters())).map((letter) => letter.attempts);
      same(attempts, [1, 1, 2]);
    }
  },

  async "a projection and a reactor do not go on from where the other is"(sillok) {
    const store = new sillok.EventStore();
    await count(store, "s-1", 1);
    const made = sums(sillok);
    const handled: number[] = [];
    const on = ({ data }: { data: Counted["data"] }) => void handled.push(data.by);
    const reacts = (name: string) => sillok.reactor<Counted>(name, { on });
    const register = async (consumer: typeof made | ReturnType<typeof reacts>) =>
      new sillok.EventGateway(store).register(consumer).catchUp();
    await register(made);
    same(await codeOf(register(reacts("sums"))), "consumer_kind_fixed");
    await register(reacts("handled"));
    const documents = sillok.projection<Counted, number>("handled", { on() {} });
    const refused = await rejection(register(documents));
    same(refused instanceof sillok.SillokError && [refused.code, refused.field], [
      "consumer_kind_fixed",
      "kind",
    ]);
    const gateway = new sillok.EventGateway(store).register(made, reacts("handled"));
    await count(store, "s-1", 2);
    await gateway.catchUp();
    same(await gateway.projection(made).get("s-1"), 3);
    same(handled, [1, 2]);
  },

  async "a reactor may begin after a checkpoint, and then continues from its place"(sillok) {
    const store = new sillok.EventStore();
    for (const number of [1, 2, 3]) await count(store, "s-1", number);
    const [, second] = await all(store.readAll());
    const handled: number[] = [];
    const on = ({ data }: { data: Counted["data"] }) => void handled.push(data.by);
    const late = sillok.reactor<Counted>("late", { on, after: second?.checkpoint });
    const gateway = new sillok.EventGateway(store).register(late);
    same((await gateway.consumer(late).status()).lag, 1);
    await gateway.catchUp();
    await count(store, "s-1", 4);
    const again = sillok.reactor<Counted>("late", { on });
    await new sillok.EventGateway(store).register(again).catchUp();
    same(handled, [3, 4]);
    for (const after of ["1.2", "5"]) {
      const nowhere = sillok.reactor("nowhere", { on() {}, after });
      const register = async () => new sillok.EventGateway(store).register(nowhere);
      same(await codeOf(register()), "invalid_checkpoint");
    }
  },

  async "a chain of consumers is caught up with as one"(sillok) {
    const store = new sillok.EventStore();
    const countdown = sillok.reactor<Counted>("countdown", {
      on: {
        async Counted({ stream, data }, { append }) {
          if (data.by > 0) await append(stream, { type: "Counted", data: { by: data.by - 1 } });
        },
      },
    });
    const counts = sums(sillok);
    const gateway = new sillok.EventGateway(store).register(counts, countdown);
    await count(store, "s-1", 5);
    await gateway.catchUp();
    same(await gateway.projection(counts).get("s-1"), 15);
  },

  async "a running gateway handles each event when it is appended, until the signal ends it"(
    sillok,
  ) {
    const store = new sillok.EventStore();
    const [stop, handled] = [new AbortController(), [] as number[]];
    let next = () => {};
    const watcher = sillok.reactor<Counted>("watcher", {
      async on({ data }) {
        await Promise.resolve();
        handled.push(data.by);
        next();
      },
    });
    const gateway = new sillok.EventGateway(store).register(watcher);
    await count(store, "s-1", 0);
    const running = gateway.run({ signal: stop.signal });
    for (const number of [1, 2, 3]) {
      const done = new Promise<void>(
        (resolve) => (next = () => handled.length > number && resolve()),
      );
      await count(store, `s-${number}`, number);
      await done;
    }
    await gateway.consumer(watcher).pause();
    await count(store, "s-1", 4);
    const done = new Promise<void>((resolve) => (next = resolve));
    await gateway.consumer(watcher).resume();
    await done;
    same(handled, [0, 1, 2, 3, 4]);
    stop.abort();
    await running;
    await count(store, "s-1", 5);
    await gateway.run({ signal: stop.signal });
    same(handled.length, 5);
  },

  async "a handler has no more than it was given, and not for longer"(sillok) {
    const store = new sillok.EventStore();
    const kept: { put?: (key: string, document: unknown) => void; append?: Function } = {};
    const wrong = sillok.projection("wrong", {
      attempts: 1,
      on: {
        Async: (async () => {}) as unknown as () => void,
        Store: () => void store.saveEvent({ aggregateId: 1 }),
        Key: (_, documents) => documents.put("\u0000", 1),
        Lost: (_, documents) => documents.put("k", { n: [NaN] }),
        Large: (_, documents) => documents.put("k", "x".repeat(1024 * 1024)),
        Kept: (_, documents) => void (kept.put = documents.put),
      },
    });
    const late = sillok.reactor("late", {
      on: { Kept: (_, { append }) => void (kept.append = append) },
    });
    const gateway = new sillok.EventGateway(store).register(wrong, late);
    for (const type of ["Async", "Store", "Key", "Lost", "Large", "Kept"]) {
      await store.append("s", { type });
    }
    await gateway.catchUp();
    const letters = await all(gateway.consumer(wrong).deadLetters());
    const expected: [string, RegExp][] = [
      ["Async", /must be synchronous/],
      ["Store", /not the store/],
      ["Key", /document's key/],
      ["Lost", /document\.n\[0\] is NaN/],
      ["Large", /1048578 bytes/],
    ];
    same(
      letters.map(({ event }) => event.type),
      expected.map(([type]) => type),
    );
    for (const [place, [type, reason]] of expected.entries()) {
      same(reason.test(letters[place]?.error ?? ""), true, `${type}: ${letters[place]?.error}`);
    }
    same(await all(gateway.projection(wrong).documents()), []);
    same(thrown(() => kept.put?.("k", 1)) instanceof Error, true);
    same(await codeOf(kept.append?.("s", { type: "Late" })), "handler_over");
  },

  async "a store is replayed through a handler, all of it or a part"({ EventGateway, EventStore }) {
    const store = new EventStore();
    for (let round = 0; round < 600; round += 1) {
      await store.append(`a-${round % 2}`, [{ type: "Even" }, { type: "Odd" }]);
    }
    await store.append("b", { type: "Even" });
    const gateway = new EventGateway(store);
    const seen: string[] = [];
    const handler = { handleEvent: (event: { stream: string }) => void seen.push(event.stream) };
    const told: number[][] = [];
    const onProgress = ({
      handled,
      position,
      end,
    }: Record<"handled" | "position" | "end", number>) => void told.push([handled, position, end]);
    const whole = await gateway.replay(handler, { onProgress });
    same(whole, { handled: 1201, position: 1201, end: 1201 });
    same(
      [seen.length, told],
      [
        1201,
        [
          [1000, 1000, 1201],
          [1201, 1201, 1201],
        ],
      ],
    );
    const handledIn = async (options: object) => (await gateway.replay(handler, options)).handled;
    same(await handledIn({ category: "a" }), 1200);
    same(await handledIn({ category: "b", types: ["Odd"] }), 0);
    same(await handledIn({ stream: "a-1" }), 600);
    same(await gateway.replay(handler, { stream: "a-1", types: ["Odd"] }), {
      handled: 300,
      position: 600,
      end: 600,
    });
    const failing = { handleEvent: () => Promise.reject(new Error("no")) as unknown as void };
    same(String(await rejection(gateway.replay(failing))), "Error: no");
  },

  async "an invalid registration or name is refused"(sillok) {
    const store = new sillok.EventStore();
    const counts = sums(sillok);
    const gateway = new sillok.EventGateway(store).register(counts);
    const refusals: [() => unknown, string][] = [
      [() => gateway.register(counts), "invalid_consumer"],
      [() => gateway.register({} as never), "invalid_consumer"],
      [() => gateway.consumer("other"), "consumer_not_found"],
      [() => gateway.processEventsByAggregateId("1"), "invalid_parameter"],
      [
        () => new sillok.EventGateway({ findEventsByAggregateId: () => [] }).register(counts),
        "invalid_parameter",
      ],
    ];
    for (const [call, code] of refusals) same((thrown(call) as { code?: unknown }).code, code);
    const greeter = sillok.reactor<NewEvent>("greeter", { on() {} });
    gateway.register(greeter);
    same(
      (thrown(() => gateway.projection("greeter")) as { code?: unknown }).code,
      "consumer_not_found",
    );
    const documents = gateway.projection(counts);
    same(await codeOf(documents.get("")), "invalid_document_key");
    same(await codeOf(documents.get("\ud800")), "invalid_document_key");
    same(await codeOf(documents.documents({ limit: -1 }).next()), "invalid_parameter");
    same(await codeOf(gateway.catchUp({ until: 1 } as never)), "invalid_parameter");
    store.close();
    same(await codeOf(gateway.catchUp()), "storage_failed");
    same(await codeOf(gateway.run()), "storage_failed");
    same(await codeOf(documents.status()), "storage_failed");
  },
};
