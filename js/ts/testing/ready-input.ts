// The inputs of tests, as a store decides them.

import type { Behaviour } from "../aggregate/behaviour.js";
import { checkData } from "../aggregate/decided.js";
import { deepFreeze } from "../aggregate/freeze.js";
import {
  type FollowedEvent,
  instanceOf,
  isProcess,
  noAnswered,
} from "../aggregate/process-rules.js";
import type { Aggregate } from "../aggregate/types.js";
import { type InputKind, LATE_INPUT, type LateInput } from "../aggregate/late-input.js";
import { invalid } from "../store/invalid.js";
import type { AnswerInput, EventInput } from "./inputs.js";
import { EventStore } from "./program.js";
import { exactText, streamOf } from "./stored-texts.js";

type Decide = (behaviour: Behaviour, context: string) => string;

/** An input, ready for any behaviour of the aggregate. */
export interface ReadyInput {
  /** The stream that decides; undefined if the input is for no stream. */
  stream(): string | undefined;
  /** Decides as a store does. The result is JSON as that of `decide`. */
  readonly decide: Decide;
}

/** Checks an input of this aggregate. `name` names it in errors. */
export function readyInput(aggregate: Aggregate, input: unknown, name: string): ReadyInput {
  const own = streamOf(aggregate);
  const given = (input ?? {}) as EventInput | AnswerInput | { readonly input?: undefined };
  if (given.input === undefined) {
    const text = exactText(input, name);
    const decide: Decide = (behaviour, context) => behaviour.decide(text, context);
    return {
      stream: () => own,
      decide: isProcess(aggregate) ? unlessLate("command", decide) : decide,
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
    const decide: Decide = (behaviour, context) => behaviour.answered(text, context);
    return { stream: () => own, decide: unlessLate("answer", decide) };
  }
  const text = exactText(given.event, name);
  const followed = JSON.parse(text) as FollowedEvent;
  checkSource(aggregate.sources, followed, name);
  const kind = aggregate.starts.includes(followed.type) ? "start" : "event";
  const decide: Decide = (behaviour, context) => behaviour.on(text, context);
  return { stream: () => instanceOf(aggregate, followed), decide: unlessLate(kind, decide) };
}

/** Asks the engine first, whether the input comes before the start or after the end of the process. */
function unlessLate(kind: InputKind, decide: Decide): Decide {
  const { [LATE_INPUT]: lateInput } = EventStore as unknown as Record<symbol, LateInput>;
  if (lateInput === undefined) throw new Error("`sillok` and `sillok/testing` are of two versions");
  return (behaviour, context) => {
    const { version } = JSON.parse(context) as { version: number };
    return lateInput(kind, version > 0, behaviour.isEnded()) ?? decide(behaviour, context);
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
