import { commandKey } from "../support/command-key.ts";
import { TOTAL, totalsOf } from "../support/totals.ts";
import type { Behaviours } from "./behaviour.ts";
import { codeOf } from "./behaviour-consume.ts";
import { all, same } from "./check.ts";

/** Reactors that send commands to aggregates, over a store in the same program. */
export const sending: Behaviours = {
  async "a reactor's command to an aggregate takes effect once, under an id that no client can use up"(
    sillok,
  ) {
    const { tally, totals } = totalsOf(sillok);
    const store = new sillok.EventStore();
    const source = { stream: "tally-1", version: 1, id: "added-1" };
    const commandId = await commandKey("totals", source, 1);
    await store.execute(TOTAL, { type: "Add", data: { n: 1 } }, tally, { commandId });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const metadata = { correlationId: "c-1", traceparent };
    await store.append(source.stream, {
      type: "Added",
      id: source.id,
      data: { n: 5 },
      metadata,
    });
    await new sillok.EventGateway(store).register(totals).catchUp();
    same((await store.load(TOTAL, tally)).state, 6);
    const [, event] = await all(store.read(TOTAL));
    same(event?.metadata, { correlationId: "c-1", causationId: commandId, traceparent });
    same(
      (await all(store.read("seen"))).map(({ data }) => data),
      [{ n: 5 }],
    );
  },

  async "an event whose command is rejected is given up at once"(sillok) {
    const { totals } = totalsOf(sillok);
    const store = new sillok.EventStore();
    await store.append("tally-1", { type: "Added", data: { n: 13 } });
    const gateway = new sillok.EventGateway(store).register(totals);
    await gateway.catchUp();
    const [letter, ...more] = await all(gateway.consumer(totals).deadLetters());
    same([letter?.attempts, /unlucky/.test(letter?.error ?? ""), more], [1, true, []]);
  },

  async "a command that cannot be sent is refused, and counts"(sillok) {
    const { tally } = totalsOf(sillok);
    const store = new sillok.EventStore();
    const codes: unknown[] = [];
    const wrong = sillok.reactor("wrong", {
      category: "order",
      on: {
        async Placed(event, { execute }) {
          const add = { type: "Add", data: { n: 1 } } as const;
          codes.push(
            await codeOf(execute("other-1", add, tally)),
            await codeOf(execute(TOTAL, add, {} as typeof tally)),
            await codeOf(execute(TOTAL, undefined as never, tally)),
          );
          const { events } = await execute(TOTAL, add, tally);
          const id = await commandKey("wrong", event, 4);
          codes.push((events[0]?.metadata as { causationId: string }).causationId === id);
        },
      },
    });
    await store.append("order-1", { type: "Placed" });
    await new sillok.EventGateway(store).register(wrong).catchUp();
    same(codes, ["invalid_parameter", "invalid_parameter", "invalid_command", true]);
  },
};
