// What a user's code says about events, in the shape in which the engine calls it.

import type { AnyConsumer, ConsumedEvent, Projection, Reactor } from "sillok";

import { appends } from "../js/ts/consumer/command.ts";
import { type DocumentsJson, projectOnto } from "../js/ts/consumer/documents.ts";
import { wrongBy } from "../js/ts/consumer/failed-attempt.ts";
import { project } from "../js/ts/consumer/projection.ts";
import { react } from "../js/ts/consumer/reactor.ts";
import { raised } from "../js/ts/store/raising.ts";

/** The commands that a reactor may send on one event. */
interface Commands {
  readonly id: string;
  readonly attempt: number;
  append(n: number, stream: string, events: string, expected: unknown): Promise<any>;
}

/** The number of a handler's first append, as it is in Rust. */
const FIRST_COMMAND = 0;

/** What the engine calls with each event. Where it fails, it throws what is wrong as a plain object. */
export interface Handler {
  apply(event: string, documents: DocumentsJson): void;
  react(event: string, commands: Commands): Promise<void>;
}

/** The handler of a consumer that is defined in code, and its definition as JSON. */
export function handlerOf(handled: AnyConsumer): [string, Handler] {
  const { kind, category, types, onFailure, attempts, firstDelay, longestDelay } = handled;
  const { after, timeout } = kind === "reactor" ? handled : {};
  const policy = { onFailure, attempts, firstDelay, longestDelay };
  const definition = { kind, after, timeout, category, types, ...policy };
  const handler = {
    apply(text: string, documents: DocumentsJson) {
      try {
        const event = JSON.parse(text) as ConsumedEvent;
        projectOnto(documents, (held) => project(handled as Projection, event, held));
      } catch (thrown) {
        throw wrongBy(thrown);
      }
    },
    async react(text: string, commands: Commands) {
      const { id, attempt } = commands;
      const append = appends(FIRST_COMMAND, async (...command) => {
        try {
          return await commands.append(...command);
        } catch (refused) {
          throw raised(refused);
        }
      });
      try {
        await react(handled as Reactor, JSON.parse(text) as ConsumedEvent, { id, attempt, append });
      } catch (thrown) {
        throw wrongBy(thrown);
      }
    },
  };
  return [JSON.stringify(definition), handler];
}
