import { AGAIN, actingOf, askedOf, REUSED } from "../support/again.ts";
import type { Behaviours, Sillok } from "./behaviour.ts";
import { all, same } from "./check.ts";

type Data = { n: number };

/** Handles one event by a handler that runs twice. */
async function handled(sillok: Sillok, asked: ReturnType<typeof askedOf>) {
  const store = new sillok.EventStore();
  const { acting } = actingOf(sillok);
  await store.append("ask-1", asked);
  const gateway = new sillok.EventGateway(store).register(acting);
  await gateway.catchUp();
  const dataOf = async (stream: string) => (await all(store.read(stream))).map(({ data }) => data);
  const letters = await all(gateway.consumer(acting).deadLetters());
  return { dataOf, letters };
}

const cases = Object.entries(AGAIN).map(([name, again]): [string, Behaviours[string]] => [
  `where a handler runs again, ${name}`,
  async (sillok) => {
    const { dataOf, letters } = await handled(sillok, askedOf(again, 7));
    same([await dataOf("outcomes-7"), letters], [[again.outcomes], []]);
    for (const [stream, numbers] of Object.entries(again.streams)) {
      const found = (await dataOf(`${stream}-7`)) as Data[];
      same(
        found.map(({ n }) => n),
        numbers,
      );
    }
  },
]);

/** Reactors whose handlers run again and come to another decision. docs/guides/delivery.md has the rule. */
export const decidingAgain: Behaviours = {
  ...Object.fromEntries(cases),

  async "a handler that ends with the refusal of another command gives its event up at once"(
    sillok,
  ) {
    const { letters } = await handled(sillok, askedOf(REUSED, 7, true));
    const [letter, ...more] = letters;
    same([letter?.attempts, /another command/.test(letter?.error ?? ""), more], [2, true, []]);
  },

  async "a stream that has forgotten an append writes it again"(sillok) {
    const store = new sillok.EventStore();
    const forgetting = sillok.reactor("forgetting", {
      category: "ask",
      firstDelay: 1,
      async on(_, { append, attempt }) {
        const { replayed, version } = await append("a", { type: "Done" });
        if (attempt === 1) {
          await store.append("a", { type: "Kept" });
          await store.truncate("a", { before: 2 });
          throw new Error("it is handled again");
        }
        same([replayed, version], [false, 3]);
      },
      attempts: 2,
    });
    await store.append("ask-1", { type: "Asked" });
    const gateway = new sillok.EventGateway(store).register(forgetting);
    await gateway.catchUp();
    same(await all(gateway.consumer(forgetting).deadLetters()), []);
    same(
      (await all(store.read("a"))).map(({ type }) => type),
      ["Kept", "Done"],
    );
  },
};
