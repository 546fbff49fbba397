/** The Worker with objects that fail as the runtime can make them fail. */

import { DurableObject } from "cloudflare:workers";

export { Consumer, default, Journal } from "../../worker/entry.ts";

const FLAGS: Record<string, object> = {
  overloaded: { overloaded: true, retryable: true },
  unavailable: { retryable: true },
};

/** Every call of it fails, in the way that the stream's name says. */
export class Aggregate extends DurableObject {
  override fetch(): never {
    throw Object.assign(new Error("what nobody should be told"), FLAGS["unavailable"]);
  }

  append(request: { stream: string }): never {
    return fail(request);
  }

  read(request: { stream: string }): unknown {
    return request.stream === "nonsense" ? { neither: "ok", nor: "failure" } : fail(request);
  }

  head(request: { stream: string }): never {
    return fail(request);
  }

  verify(request: { stream: string }): never {
    return fail(request);
  }

  commits(request: { stream: string }): never {
    return fail(request);
  }

  truncate(request: { stream: string }): never {
    return fail(request);
  }

  delete(request: { stream: string }): never {
    return fail(request);
  }
}

function fail({ stream }: { stream: string }): never {
  throw Object.assign(new Error("what nobody should be told"), FLAGS[stream]);
}
