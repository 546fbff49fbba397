/** The Worker with objects that fail as the runtime or another version of the code can make them fail. */

import { DurableObject } from "cloudflare:workers";

export { Consumer, default } from "../../worker/entry.ts";

/** A class of a version that has none of the called methods. */
export class Journal extends DurableObject {}

/** Answers of another version, of which this version can read nothing. */
const UNREADABLE: Record<string, unknown> = {
  nonsense: { neither: "ok", nor: "failure" },
  nothing: undefined,
  text: "done",
  "another-ok": { ok: [7] },
  "another-failure": { failure: { reason: "what nobody should be told" } },
};

const FLAGS: Record<string, object> = {
  overloaded: { overloaded: true, retryable: true },
  unavailable: { retryable: true },
};

/** Every call fails, in the way that the stream's name says. */
export class Aggregate extends DurableObject {
  override fetch(): never {
    throw Object.assign(new Error("what nobody should be told"), FLAGS["unavailable"]);
  }

  append(request: { stream: string }): unknown {
    return fail(request);
  }

  read(request: ReadRequest): unknown {
    return request.stream.startsWith("fails-after-") ? pageOf(request) : fail(request);
  }

  head(request: { stream: string }): unknown {
    return fail(request);
  }

  verify(request: { stream: string }): unknown {
    return fail(request);
  }

  commits(request: { stream: string }): unknown {
    return fail(request);
  }

  truncate(request: { stream: string }): unknown {
    return fail(request);
  }

  delete(request: { stream: string }): unknown {
    return fail(request);
  }
}

interface ReadRequest {
  stream: string;
  range: { from?: number; limit: number };
}

/** A page of one event. The stream's name has the number of readable pages and the size of each. */
function pageOf({ stream, range: { from = 1 } }: ReadRequest): unknown {
  const [count = 0, bytes = 0] = (stream.match(/\d+/g) ?? []).map(Number);
  if (from > count) return fail({ stream });
  const events = `[{"version":${from},"data":"${"x".repeat(bytes)}"}]`;
  const ok = { version: 1000, firstVersion: 1, events, next: { from: from + 1 } };
  return { ok, receipt: { rowsWritten: 0, rowsRead: 0, schemaRowsWritten: 0 } };
}

function fail({ stream }: { stream: string }): unknown {
  if (stream in UNREADABLE) return UNREADABLE[stream];
  throw Object.assign(new Error("what nobody should be told"), FLAGS[stream]);
}
