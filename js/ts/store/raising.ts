import { type Failure, SillokError } from "./errors.js";

/** What the engine refuses is raised as a {@link SillokError}. */
export function raising<T>(call: () => T): T {
  try {
    return call();
  } catch (refused) {
    throw raised(refused);
  }
}

/** What was thrown: where it is a refusal of the engine, as the error that tells of it. */
export function raised(thrown: unknown): unknown {
  return isFailure(thrown) ? new SillokError(thrown) : thrown;
}

/** The engine throws plain objects, and nothing else does. */
function isFailure(thrown: unknown): thrown is Failure {
  return (
    typeof thrown === "object" && thrown !== null && !(thrown instanceof Error) && "code" in thrown
  );
}
