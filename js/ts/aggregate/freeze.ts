import { isPlain, tagOf } from "../store/json.js";

/** Freezes a value with everything in it. It takes a frozen object for one whose content is frozen too. */
export function deepFreeze<T>(value: T): T {
  if (isOpen(value)) freeze(value);
  return value;
}

/**
 * Freezes a state with everything in it.
 *
 * @returns what in it is neither an array nor a plain object, and could still change, such as "a Map"; undefined if there is no
 *   such thing.
 */
export function freezeState(state: unknown): string | undefined {
  if (!isOpen(state)) return undefined;
  const wrong = freeze(state, (value) => Array.isArray(value) || isPlain(value));
  if (wrong === undefined) return undefined;
  const tag = tagOf(wrong).slice("[object ".length, -1);
  return tag === "Object" ? "an instance of a class" : `a ${tag}`;
}

/** Freezes a value with what is in it. Returns the first value that `accepts` refuses. */
function freeze(value: object, accepts?: (value: object) => boolean): object | undefined {
  const open: object[] = [];
  const freezeOne = (one: unknown): void => {
    if (!isOpen(one)) return;
    // The buffer of a view cannot be frozen.
    if (!ArrayBuffer.isView(one)) open.push(Object.freeze(one));
    else if (accepts !== undefined) open.push(one);
  };
  freezeOne(value);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (accepts?.(next) === false) return next;
    // The values of an array are visited much faster without its keys. JSON has no arrays with other keys.
    const children: readonly unknown[] = Array.isArray(next) ? next : Object.values(next);
    for (const child of children) freezeOne(child);
  }
  return undefined;
}

function isOpen(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Object.isFrozen(value);
}
