/** Restores the saved events from the JSON of the engine. */
export function savedEvents<E extends object>(json: string): E[] {
  const found = JSON.parse(json) as Found<E>[];
  return found.map(({ event, dates }) => {
    if (Array.isArray(dates)) for (const path of dates) restoreDate(event, path);
    return event;
  });
}

/**
 * A saved event in the engine: its JSON, and the keys that lead to each of its Dates. In old files, where the store's notes
 * had no place of their own, the keys may be any value that a caller has written.
 */
interface Found<E> {
  readonly event: E;
  readonly dates: unknown;
}

/**
 * Replaces the text at the end of `path` by its `Date`. Every step of the path must be an own property of its object, so that
 * the function reads and writes nothing else. The text must be the ISO text of a `Date`.
 */
function restoreDate(event: object, path: unknown): void {
  if (!Array.isArray(path)) return;
  let [holder, key, value]: [object, string, unknown] = [event, "", event];
  for (const next of path) {
    if (typeof next !== "string" || !isHolder(value) || !Object.hasOwn(value, next)) return;
    [holder, key, value] = [value, next, (value as Record<string, unknown>)[next]];
  }
  const date = writtenDate(value);
  if (date !== undefined) (holder as Record<string, unknown>)[key] = date;
}

function isHolder(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function writtenDate(text: unknown): Date | undefined {
  if (typeof text !== "string") return undefined;
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString() === text ? date : undefined;
}
