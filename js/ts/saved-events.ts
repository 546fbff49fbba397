/** Makes of what the engine found the events that were saved. */
export function savedEvents<E extends object>(json: string): E[] {
  const found = JSON.parse(json) as Found<E>[];
  return found.map(({ event, dates }) => {
    for (const path of dates) restoreDate(event, path);
    return event;
  });
}

/** A saved event as the engine keeps it: as JSON has it, and the keys that lead to each of its Dates. */
interface Found<E> {
  readonly event: E;
  readonly dates: readonly (readonly string[])[];
}

/** Makes a `Date` again of the text at the end of `path`. */
function restoreDate(event: object, path: readonly string[]): void {
  const last = path.at(-1);
  if (last === undefined) return;
  const holder = path.slice(0, -1).reduce((value, key) => value[key] as Fields, event as Fields);
  holder[last] = new Date(holder[last] as string);
}

type Fields = Record<string, unknown>;
