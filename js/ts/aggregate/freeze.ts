import { isPlain } from "../store/json.js";

/** Freezes a value with everything in it. It takes a frozen object for one whose content is frozen too. */
export function deepFreeze<T>(value: T): T {
  freeze(value);
  return value;
}

/**
 * Freezes a state with everything in it, as {@link deepFreeze} does. Returns whether it consists of arrays, plain objects and
 * values that are no objects. Any other object, such as a Map, could still change.
 */
export function freezeState(state: unknown): boolean {
  let isPlainAll = true;
  freeze(state, (value) => {
    isPlainAll &&=
      typeof value !== "object" || value === null || Array.isArray(value) || isPlain(value);
  });
  return isPlainAll;
}

/** Freezes a value with everything in it. `visit` gets each value that was not frozen before. */
function freeze(value: unknown, visit?: (value: unknown) => void): void {
  const open: object[] = [];
  freezeOne(value, open, visit);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    // The values of an array are visited much faster without its keys. JSON has no arrays with other keys.
    const children: readonly unknown[] = Array.isArray(next) ? next : Object.values(next);
    for (const child of children) freezeOne(child, open, visit);
  }
}

/** Freezes a value, and notes that its content is to be frozen too. */
function freezeOne(value: unknown, open: object[], visit?: (value: unknown) => void): void {
  const isObject = typeof value === "object" && value !== null;
  if (isObject && Object.isFrozen(value)) return;
  visit?.(value);
  // The buffer of a view cannot be frozen.
  if (isObject && !ArrayBuffer.isView(value)) open.push(Object.freeze(value));
}
