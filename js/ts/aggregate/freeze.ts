import { isPlain, tagOf } from "../store/json.js";

/** Freezes a value with everything in it. It takes a frozen object for one whose content is frozen too. */
export function deepFreeze<T>(value: T): T {
  freeze(value);
  return value;
}

/**
 * Freezes a state with everything in it, as {@link deepFreeze} does.
 *
 * @returns what in it is no value of JSON, such as "a Map" or "NaN"; undefined if there is no such thing. A Map could still
 *   change.
 */
export function freezeState(state: unknown): string | undefined {
  let wrong: string | undefined;
  freeze(state, (value) => (wrong ??= notOfJson(value)));
  return wrong;
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

/** What a value is, if it is no value of JSON. A field that is undefined counts as a field that is not there. */
function notOfJson(value: unknown): string | undefined {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? undefined : String(value);
    case "object":
      break;
    case "bigint":
    case "function":
    case "symbol":
      return `a ${typeof value}`;
    default:
      return undefined;
  }
  if (value === null || Array.isArray(value) || isPlain(value)) return undefined;
  const tag = tagOf(value).slice("[object ".length, -1);
  return tag === "Object" ? "an instance of a class" : `a ${tag}`;
}
