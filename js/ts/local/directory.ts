// Lists the directory of all streams, page by page.

import type { StreamEntry } from "../store/events.js";
import type { StreamsOptions } from "../store/options.js";
import { finite, wantedToList } from "../store/wanted.js";
import { Turn } from "../time/turn.js";
import type { LocalEngine } from "./engine.js";

/** Lists the streams. */
export async function* listStreams(
  engine: LocalEngine,
  options: StreamsOptions,
): AsyncGenerator<StreamEntry, void, undefined> {
  let { left, ...wanted } = wantedToList(options);
  const turn = new Turn();
  for (;;) {
    const { streams, next } = await engine.streams({ ...wanted, limit: finite(left) });
    for (const stream of streams) {
      yield stream;
      if (turn.isOver()) await turn.pass();
    }
    left -= streams.length;
    if (left <= 0 || next === undefined) return;
    if (turn.isOver()) await turn.pass();
    wanted = { ...wanted, after: next };
  }
}
