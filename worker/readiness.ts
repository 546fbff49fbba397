// `GET /v1/ready`: whether the configuration is right and the objects answer.

import { BOUND } from "../js/ts/client/client.ts";
import { type Misconfiguration, problem } from "./configuration.ts";
import type { OwnFetch } from "./reads.ts";

/** The path of the readiness. */
export const READY = "/v1/ready";
/** How long a success, and another answer, is remembered, in milliseconds. So many requests do not make the objects work. */
const [SUCCESS_MILLIS, FAILURE_MILLIS] = [5000, 1000];
/** A path whose answer needs all partitions of the journal. */
const ASKED = new URL("/v1/journal", BOUND).href;

/** The readiness of one Worker. Requests share a check, and its answer is remembered for a while. */
export class Readiness {
  #until = 0;
  #last: Misconfiguration | undefined;
  #check: Promise<Misconfiguration | undefined> | undefined;

  /** Answers a request by its method. `asks` ask without a token, and as the Worker's own code. */
  async answer(
    method: string,
    wrong: Misconfiguration | undefined,
    asks: readonly [OwnFetch, OwnFetch],
  ): Promise<Response> {
    if (method !== "GET" && method !== "HEAD") {
      return problem(
        405,
        { code: "method_not_allowed", detail: `${READY} takes only GET` },
        { Allow: "GET, HEAD" },
      );
    }
    const found = wrong ?? (await this.#found(asks));
    if (found !== undefined) return problem(503, found);
    return Response.json({ status: "ready" }, { headers: { "Cache-Control": "no-store" } });
  }

  #found(asks: readonly [OwnFetch, OwnFetch]): Promise<Misconfiguration | undefined> {
    if (this.#check !== undefined) return this.#check;
    if (Date.now() < this.#until) return Promise.resolve(this.#last);
    const check = found(asks).finally(() => (this.#check = undefined));
    this.#check = check;
    return check.then((wrong) => {
      this.#last = wrong;
      this.#until = Date.now() + (wrong === undefined ? SUCCESS_MILLIS : FAILURE_MILLIS);
      return wrong;
    });
  }
}

/** What is wrong, by the answers of the engine. */
async function found(asks: readonly [OwnFetch, OwnFetch]): Promise<Misconfiguration | undefined> {
  const [asStranger, asOwn] = asks;
  const refusal = await problemOf(await asStranger(ASKED, {}));
  if (refusal?.code === "auth_not_configured") return refusal;
  return problemOf(await asOwn(ASKED, {}));
}

async function problemOf(response: Response): Promise<Misconfiguration | undefined> {
  if (response.ok) {
    await response.body?.cancel();
    return undefined;
  }
  const { code, detail } = (await response.json()) as Misconfiguration;
  return { code, detail };
}
