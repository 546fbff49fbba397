/** Makes of what the engine found the events that were saved. */
export function savedEvents<E extends object>(json: string): E[] {
  const found = JSON.parse(json) as Found<E>[];
  return found.map(({ event, dates }) => {
    if (Array.isArray(dates)) for (const path of dates) restoreDate(event, path);
    return event;
  });
}

/**
 * A saved event as the engine keeps it: as JSON has it, and the keys that lead to each of its Dates. In files of before
 * notes had a place of their own, these may be anything that a caller wrote.
 */
interface Found<E> {
  readonly event: E;
  readonly dates: unknown;
}

/**
 * Makes a `Date` again of the text at the end of `path`: only where the path goes through properties that the event
 * itself has, so that nothing else is ever read or written, and only where the text is one that a `Date` was written as.
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
