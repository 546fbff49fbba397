import { answerOf, askingOf, numbersOf } from "../support/asking.ts";
import type { Behaviours } from "./behaviour.ts";
import { all, same } from "./check.ts";

/** Reactors that read streams and states, over a store in the same program. */
export const readingInReactors: Behaviours = {
  async "a reactor reads all pages of a stream and the state of an aggregate, and has no environment"(
    sillok,
  ) {
    const { asking } = askingOf(sillok);
    const store = new sillok.EventStore();
    for (let round = 0; round < 5; round += 1) await store.append("tally-1", numbersOf(2, 500));
    const question = { type: "Question", data: { of: "tally-1", answer: "answers" } };
    await store.append("question-1", question);
    const gateway = new sillok.EventGateway(store).register(asking);
    await gateway.catchUp();
    same(await all(gateway.consumer(asking).deadLetters()), []);
    same(
      (await all(store.read("answers"))).map(({ data }) => data),
      [answerOf(2, null)],
    );
  },

  async "an event whose handler ends with an error of a read or a load after which no retry can help is given up at once"(
    sillok,
  ) {
    const { asking } = askingOf(sillok);
    const store = new sillok.EventStore();
    await store.append("tally-gone", { type: "Added", data: { n: 1 } });
    await store.delete("tally-gone");
    for (const ending of ["read", "load"]) {
      const data = { of: "tally-gone", answer: "answers", ending };
      await store.append(`question-${ending}`, { type: "Question", data });
    }
    const gateway = new sillok.EventGateway(store).register(asking);
    await gateway.catchUp();
    same(
      (await all(gateway.consumer(asking).deadLetters())).map(({ event, attempts }) => [
        event.stream,
        attempts,
      ]),
      [
        ["question-read", 1],
        ["question-load", 1],
      ],
    );
  },
};
