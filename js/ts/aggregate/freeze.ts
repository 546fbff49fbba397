/** Freezes a value with everything in it. It takes a frozen object for one whose content is frozen too. */
export function deepFreeze<T>(value: T): T {
  if (isOpen(value)) freeze(value);
  return value;
}

function freeze(value: object): void {
  const open: object[] = [];
  freezeOne(value, open);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    // The values of an array are visited much faster without its keys. JSON has no arrays with other keys.
    const children: readonly unknown[] = Array.isArray(next) ? next : Object.values(next);
    for (const child of children) freezeOne(child, open);
  }
}

/** Freezes a value, and notes that its content is to be frozen too. */
function freezeOne(value: unknown, open: object[]): void {
  // The buffer of a view cannot be frozen.
  if (isOpen(value) && !ArrayBuffer.isView(value)) open.push(Object.freeze(value));
}

function isOpen(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Object.isFrozen(value);
}
