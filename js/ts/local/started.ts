// Whether an entry point has started the engine. In a Worker that does not import `sillok/engine`, none has.

import { SillokError } from "../store/errors.js";

/** The state of the start, which one entry point changes. */
export const engine = { isStarted: false };

/** @throws SillokError `unsupported_platform` if no entry point has started the engine. */
export function checkStarted(): void {
  if (engine.isStarted) return;
  const detail =
    'a Worker needs `import "sillok/engine"` for a store in memory and for verifyCommits';
  throw new SillokError({ code: "unsupported_platform", detail });
}
