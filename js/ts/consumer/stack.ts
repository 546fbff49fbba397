/** As arguments they take 64 KiB of the stack, more than a call of the engine does. */
const ARGUMENTS: readonly undefined[] = Array.from({ length: 8192 });

/**
 * Throws where the stack has no room left for a call of the engine. Thrown here, it is an error of the handler that calls, like
 * any other; amid the engine, it would cut the engine off.
 *
 * @throws RangeError
 */
export function checkStack(): void {
  nothing.apply(undefined, ARGUMENTS as []);
}

function nothing(): void {}
