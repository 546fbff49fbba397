/** Freezes a value with everything in it. It takes a frozen object for one whose content is frozen too. */
export function deepFreeze<T>(value: T): T {
  if (isOpen(value)) freeze(value);
  return value;
}

function freeze(value: object): void {
  // Its buffer cannot be frozen.
  if (ArrayBuffer.isView(value)) return;
  const open: object[] = [Object.freeze(value)];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const key of Object.keys(next)) {
      const child = (next as Record<string, unknown>)[key];
      if (isOpen(child) && !ArrayBuffer.isView(child)) open.push(Object.freeze(child));
    }
  }
}

function isOpen(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Object.isFrozen(value);
}
