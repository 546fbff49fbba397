/**
 * The Worker with a journal of many streams. `/fill?streams=5000` records them as if aggregates had forwarded them. One in a
 * thousand is called `s-…-audit`. `/pages` returns how many pages of the directory were read since its last call.
 */

import type { DurableObject } from "cloudflare:workers";

import app, { Journal as Sound } from "../../worker/entry.ts";

export { Aggregate, Consumer } from "../../worker/entry.ts";

type JournalClass = new (
  context: DurableObjectState,
  env: Cloudflare.Env,
) => DurableObject & { streams(request: unknown): unknown; record(request: unknown): unknown };

let pages = 0;

export class Journal extends (Sound as JournalClass) {
  override streams(request: unknown): unknown {
    pages += 1;
    return super.streams(request);
  }

  async fill(streams: number): Promise<void> {
    const events = '[{"id":"1","type":"Opened","data":null}]';
    const commits = [{ first: 1, version: 1, time: 1, events }];
    const name = (n: number) =>
      `s-${String(n).padStart(5, "0")}${n % 1000 === 999 ? "-audit" : ""}`;
    const recorded = Array.from({ length: streams }, (_, n) =>
      this.record({ stream: name(n), base: 0, hidden: 0, deleted: false, commits }),
    );
    await Promise.all(recorded);
  }
}

export default {
  async fetch(request: Request, env: any, context: object): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/pages") {
      const read = pages;
      pages = 0;
      return Response.json(read);
    }
    if (pathname !== "/fill") return app.fetch(request, env, context);
    await env.JOURNAL.getByName("0").fill(Number(searchParams.get("streams")));
    return new Response();
  },
};
