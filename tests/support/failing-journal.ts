/**
 * The Worker with journals that cannot be reached while the variable JOURNAL_DOWN is set. The alarms of its streams do nothing
 * while ALARMS_DOWN is set.
 */

import type { DurableObject } from "cloudflare:workers";

import { Aggregate as SoundAggregate, Journal as SoundJournal } from "../../worker/entry.ts";

export { Consumer, default } from "../../worker/entry.ts";

type Constructed<T> = new (context: DurableObjectState, env: Cloudflare.Env) => DurableObject & T;
type AggregateClass = Constructed<{ alarm(): Promise<void> }>;
type JournalClass = Constructed<{ record(request: unknown): unknown }>;

export class Aggregate extends (SoundAggregate as AggregateClass) {
  override async alarm(): Promise<void> {
    if (!isSet(this.env, "ALARMS_DOWN")) await super.alarm();
  }
}

export class Journal extends (SoundJournal as JournalClass) {
  override record(request: unknown): unknown {
    if (isSet(this.env, "JOURNAL_DOWN"))
      throw Object.assign(new Error("down"), { retryable: true });
    return super.record(request);
  }
}

function isSet(env: Cloudflare.Env, variable: string): boolean {
  return (env as Record<string, unknown>)[variable] === "yes";
}
