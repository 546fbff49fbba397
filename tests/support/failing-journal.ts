/** The Worker with journals that cannot be reached while the variable JOURNAL_DOWN is set. */

import type { DurableObject } from "cloudflare:workers";

import { Journal as Sound } from "../../worker/entry.ts";

export { Aggregate, Consumer, default } from "../../worker/entry.ts";

type JournalClass = new (
  context: DurableObjectState,
  env: Cloudflare.Env,
) => DurableObject & { record(request: unknown): unknown };

export class Journal extends (Sound as JournalClass) {
  override record(request: unknown): unknown {
    if ((this.env as Record<string, unknown>)["JOURNAL_DOWN"] === "yes") {
      throw Object.assign(new Error("down"), { retryable: true });
    }
    return super.record(request);
  }
}
