// A consumer of a server, over HTTP.

import type { ConsumerStatus, DeadLetter, DeadLettersOptions } from "../consumer/handles.js";
import { checkedAnswer, type Http, type HttpRequest } from "../remote/http.js";
import { query } from "../remote/input.js";
import { isSillokError } from "../store/errors.js";
import { invalid } from "../store/invalid.js";
import { PAGE_EVENTS } from "../store/limits.js";
import { checkOptions } from "../store/options.js";
import { wantedLimit } from "../store/wanted.js";
import type { ConsumerClient } from "./consumer-client.js";
import { type Named, nameOf } from "./name-of.js";

const LETTERS_OPTIONS = ["after", "limit"] as const satisfies (keyof DeadLettersOptions)[];

/** A page of dead letters. */
interface LettersPage {
  readonly deadLetters: DeadLetter[];
  readonly next: string | null;
}

export class RemoteConsumer implements ConsumerClient {
  readonly name: string;
  readonly #http: Http;
  readonly #path: string;

  constructor(http: Http, consumer: Named) {
    this.#http = http;
    this.name = nameOf(consumer, "consumer");
    this.#path = `consumers/${encodeURIComponent(this.name)}`;
  }

  async status(): Promise<ConsumerStatus> {
    const answer = await this.#http.json({ method: "GET", path: this.#path, status: 200 });
    return checkedAnswer<ConsumerStatus>(answer, "status", "string");
  }

  pause(): Promise<void> {
    return this.#act("pause");
  }

  resume(): Promise<void> {
    return this.#act("resume");
  }

  retry(): Promise<void> {
    return this.#act("retry");
  }

  rebuild(): Promise<void> {
    return this.#act("rebuild");
  }

  async discard(id?: number): Promise<boolean> {
    if (id !== undefined) checkId(id, "id");
    const path = `${this.#path}/dead-letters${id === undefined ? "" : `/${id}`}`;
    try {
      await this.#send({ method: "DELETE", path, status: 204 });
      return true;
    } catch (error) {
      if (isSillokError(error) && error.code === "dead_letter_not_found") return false;
      throw error;
    }
  }

  async *deadLetters(
    options: DeadLettersOptions = {},
  ): AsyncGenerator<DeadLetter, void, undefined> {
    checkOptions(options, LETTERS_OPTIONS);
    let { after = 0 } = options;
    checkId(after, "after");
    for (let left = wantedLimit(options.limit); left > 0;) {
      const limit = Math.min(left, PAGE_EVENTS);
      const path = `${this.#path}/dead-letters${query({ after, limit })}`;
      const answer = await this.#http.json({ method: "GET", path, status: 200 });
      const { deadLetters, next } = checkedAnswer<LettersPage>(answer, "deadLetters", "object");
      yield* deadLetters;
      const last = deadLetters.at(-1);
      if (next === null || last === undefined) return;
      [after, left] = [last.id, left - deadLetters.length];
    }
  }

  #act(act: "pause" | "resume" | "retry" | "rebuild"): Promise<void> {
    return this.#send({ method: "POST", path: `${this.#path}/${act}`, status: 200 });
  }

  #send(request: HttpRequest): Promise<void> {
    return this.#http.send(request, () => undefined);
  }
}

function checkId(id: number, field: string): void {
  if (!Number.isSafeInteger(id) || id < 0)
    throw invalid(field, "must be the id of a dead letter, a whole number from 0");
}
