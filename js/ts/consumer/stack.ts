/** As arguments they take 64 KiB of the stack, more than a call of the engine takes. */
const ARGUMENTS: readonly undefined[] = Array.from({ length: 8192 });

/**
 * Throws if the stack has no room for a call of the engine. Here it is an ordinary error of the calling handler. Inside the
 * engine, the same error would cut the engine off.
 *
 * @throws RangeError
 */
export function checkStack(): void {
  nothing.apply(undefined, ARGUMENTS as []);
}

function nothing(): void {}
