import { type Failure, SillokError } from "./errors.js";

/** Calls the engine, and throws its refusals as {@link SillokError}s. */
export function raising<T>(call: () => T): T {
  try {
    return call();
  } catch (refused) {
    throw raised(refused);
  }
}

/** The error to throw: a refusal of the engine becomes a {@link SillokError}. */
export function raised(thrown: unknown): unknown {
  return isFailure(thrown) ? new SillokError(thrown) : thrown;
}

/** Only the engine throws plain objects. */
function isFailure(thrown: unknown): thrown is Failure {
  return (
    typeof thrown === "object" && thrown !== null && !(thrown instanceof Error) && "code" in thrown
  );
}
