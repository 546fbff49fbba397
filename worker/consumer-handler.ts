// The handler of a consumer in TypeScript, in the shape that the engine calls.

import { actsOf } from "../js/ts/consumer/command.ts";
import type { AnyConsumer, ConsumedEvent } from "../js/ts/consumer/definition.ts";
import { type DocumentsJson, projectOnto } from "../js/ts/consumer/documents.ts";
import type { Failures } from "../js/ts/consumer/failures.ts";
import { follow } from "../js/ts/consumer/process.ts";
import type { ProcessConsumer } from "../js/ts/consumer/process-types.ts";
import { project, type Projection } from "../js/ts/consumer/projection.ts";
import { react, type Reactor } from "../js/ts/consumer/reactor.ts";
import { commandJson } from "../js/ts/aggregate/command-input.ts";
import { type EngineOutcome, outcomeOf } from "../js/ts/aggregate/outcome.ts";
import { raised } from "../js/ts/store/raising.ts";
import type { Reads } from "./reads.ts";

/** The acts of a reactor or of a process on one event. */
interface Commands {
  readonly id: string;
  readonly attempt: number;
  append(n: number, stream: string, events: string, expected: unknown): Promise<any>;
  execute(n: number, stream: string, command: string): Promise<EngineOutcome>;
  /** Delivers the event of this attempt to the instance of a process, and waits until its decision is stored. */
  deliver(stream: string, starts: boolean): Promise<unknown>;
}

/** The number of a handler's first append or command, the same as in Rust. */
const FIRST_COMMAND = 0;

/** The engine calls it with each event. A failed attempt is thrown as a plain object. */
export interface ConsumerHandler {
  apply(event: string, documents: DocumentsJson): void;
  react(event: string, commands: Commands): Promise<void>;
}

/**
 * The definition of a consumer as JSON, and its handler. A reactor gets the environment of the Worker, and `reads`. `failures`
 * notes what the handler throws.
 */
export function consumerHandler(
  consumer: AnyConsumer | ProcessConsumer,
  env: unknown,
  reads: Reads,
  failures: Failures,
): [string, ConsumerHandler] {
  const { kind, category, types, onFailure, attempts, firstDelay, longestDelay } = consumer;
  const { after, timeout } = kind === "reactor" ? consumer : {};
  const { version } = kind === "projection" ? consumer : {};
  const policy = { onFailure, attempts, firstDelay, longestDelay };
  const definition = { kind, after, timeout, version, category, types, ...policy };
  const handler = {
    apply(text: string, documents: DocumentsJson) {
      try {
        const event = JSON.parse(text) as ConsumedEvent;
        projectOnto(documents, (own) => project(consumer as Projection, event, own));
      } catch (thrown) {
        throw failures.note(text, thrown);
      }
    },
    async react(text: string, commands: Commands) {
      if (consumer.kind === "process") return followed(consumer, text, commands, failures);
      const { id, attempt } = commands;
      const acts = actsOf(FIRST_COMMAND, {
        append: (...append) => raising(commands.append(...append)),
        execute: async (n, stream, command, { events }) =>
          outcomeOf(await raising(commands.execute(n, stream, commandJson(command))), events),
      });
      try {
        const context = { id, attempt, env, ...acts, ...reads };
        await react(consumer as Reactor, JSON.parse(text) as ConsumedEvent, context);
      } catch (thrown) {
        throw failures.note(text, thrown, attempt);
      }
    },
  };
  return [JSON.stringify(definition), handler];
}

/** Delivers an event to the instance of a process that it is for. */
async function followed(
  consumer: ProcessConsumer,
  text: string,
  commands: Commands,
  failures: Failures,
): Promise<void> {
  try {
    const deliver = (stream: string, _: string, starts: boolean) =>
      raising(commands.deliver(stream, starts));
    await follow(consumer, text, { deliver });
  } catch (thrown) {
    throw failures.note(text, thrown);
  }
}

/** Throws a refusal of the engine as an error. */
async function raising<T>(sent: Promise<T>): Promise<T> {
  try {
    return await sent;
  } catch (refused) {
    throw raised(refused);
  }
}
