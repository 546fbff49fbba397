/**
 * The keys that lead to the first difference between two values, or undefined if they are equal. Dates are equal by their
 * time, and 0 is not -0.
 */
export function difference(a: unknown, b: unknown): (string | number)[] | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return [];
  if (a instanceof Date || b instanceof Date) {
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime() ? undefined : [];
  }
  if (Array.isArray(a) !== Array.isArray(b)) return [];
  const [fieldsOfA, fieldsOfB] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const step = Array.isArray(a) ? Number(key) : key;
    if (!Object.hasOwn(a, key) || !Object.hasOwn(b, key)) return [step];
    const below = difference(fieldsOfA[key], fieldsOfB[key]);
    if (below !== undefined) return [step, ...below];
  }
  return undefined;
}
