// The inputs of tests, as a store decides them.

import type { Behaviour } from "../aggregate/behaviour.js";
import { checkData } from "../aggregate/decided.js";
import { deepFreeze } from "../aggregate/freeze.js";
import { type FollowedEvent, instanceOf, isProcess, noAnswered } from "../aggregate/process-rules.js";
import type { Aggregate } from "../aggregate/types.js";
import { invalid } from "../store/invalid.js";
import type { AnswerInput, EventInput } from "./inputs.js";
import { exactText, streamOf } from "./stored-texts.js";

/** An input, ready for any behaviour of the aggregate. */
export interface ReadyInput {
  /** The stream that decides; undefined if the input is for no stream. */
  stream(): string | undefined;
  /** Decides as a store does. The result is JSON as that of `decide`. */
  decide(behaviour: Behaviour, context: string): string;
}

const ENDED = '{"code":"process_ended"}';

/** Checks an input of this aggregate. `name` names it in errors. */
export function readyInput(aggregate: Aggregate, input: unknown, name: string): ReadyInput {
  const own = streamOf(aggregate);
  const given = (input ?? {}) as EventInput | AnswerInput | { readonly input?: undefined };
  if (given.input === undefined) {
    const text = exactText(input, name);
    return {
      stream: () => own,
      decide: (behaviour, context) =>
        behaviour.isEnded() ? ENDED : behaviour.decide(text, context),
    };
  }
  if (!isProcess(aggregate)) {
    throw invalid(name, `must be a command: ${aggregate.name} is an aggregate, and no process`);
  }
  if (given.input === "answer") {
    const { name: sent } = given.answer;
    if (!Object.hasOwn(aggregate.answered, sent)) {
      throw invalid(name, `must be an answer to a known name: ${noAnswered(aggregate, sent)}`);
    }
    const text = exactText(given.answer, name);
    return {
      stream: () => own,
      decide: (behaviour, context) =>
        behaviour.isEnded() ? "[]" : behaviour.answered(text, context),
    };
  }
  const text = exactText(given.event, name);
  const followed = JSON.parse(text) as FollowedEvent;
  checkSource(aggregate.sources, followed, name);
  return {
    stream: () => instanceOf(aggregate, followed),
    decide(behaviour, context) {
      const { version } = JSON.parse(context) as { version: number };
      const isEarly = version === 0 && !aggregate.starts.includes(followed.type);
      return isEarly || behaviour.isEnded() ? "[]" : behaviour.on(text, context);
    },
  };
}

/** Checks a new event of a followed aggregate by its schema, as the store of that aggregate does. */
function checkSource(
  sources: readonly Aggregate[] | undefined,
  { stream, type, data, schemaVersion }: FollowedEvent,
  name: string,
): void {
  const source = sources?.find((one) => one.name === stream.split("-", 1)[0]);
  if (source === undefined || schemaVersion !== undefined) return;
  checkData(source.events, type, deepFreeze(data), name);
}
