// The assertions of the behaviours. They also run in a page and in a Worker, which have no node:assert.

export { all, count, refusal, rejection, same } from "../../js/ts/testing/assert.ts";

/** The error that `call` throws. */
export function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("did not throw");
}
