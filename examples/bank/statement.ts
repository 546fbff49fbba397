/** The movements of every account, in a table of D1. */

import type { D1Database } from "@cloudflare/workers-types/index.ts";
import { type EventOf, reactor } from "sillok";
import { account } from "./account.ts";

/** The bindings of the Worker that are not Sillok's. */
export interface Env {
  DB: D1Database;
}

/** The most movements of one page. */
const PAGE = 100;

/** A reactor may get an event more than once. The row of an event has its stream and its version as its key, so it is written once. */
const ADD = `
  INSERT INTO movements (account, version, time, cents) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (account, version) DO NOTHING`;

const NEWEST = `
  SELECT version, time, cents FROM movements WHERE account = ?1 AND version < ?2
  ORDER BY version DESC LIMIT ${PAGE + 1}`;

type Moved = Extract<EventOf<typeof account>, { type: "Deposited" | "Withdrawn" }>;

export const statement = reactor<Moved, Env>("statement", {
  category: "account",
  // Without the database nothing is lost: the reactor stops, and continues with the same event after a resume.
  onFailure: "stop",
  on: {
    async Deposited({ stream, version, time, data }, { env }) {
      await env.DB.prepare(ADD).bind(stream, version, time, data.cents).run();
    },
    async Withdrawn({ stream, version, time, data }, { env }) {
      await env.DB.prepare(ADD).bind(stream, version, time, -data.cents).run();
    },
  },
});

/** A deposit, or a withdrawal with negative cents. */
export interface Movement {
  version: number;
  time: string;
  cents: number;
}

/** A page of the movements of an account, the newest first. `next` is the `before` of the next page. */
export async function movements(
  { DB }: Env,
  account: string,
  before = Number.MAX_SAFE_INTEGER,
): Promise<{ movements: Movement[]; next: number | null }> {
  const { results } = await DB.prepare(NEWEST).bind(account, before).all<Movement>();
  const page = results.slice(0, PAGE);
  return { movements: page, next: results.length > PAGE ? page.at(-1)!.version : null };
}
