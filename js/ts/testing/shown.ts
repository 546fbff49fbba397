// Values as text, and the difference of two values line by line. JSON would not show what it changes.

const PLAIN_KEY = /^[A-Za-z_$][\w$]*$/;
/** Equal lines that are shown around a difference. */
const CONTEXT_LINES = 3;
/** The longest table of two texts' lines. For longer texts, all lines of both are shown. */
const TABLE_CELLS = 4_000_000;

/**
 * The lines that only the expected value has, after `- `, and those that only the actual value has, after `+ `. `context` is the
 * number of equal lines that are shown around them.
 */
export function diff(expected: unknown, actual: unknown, context = CONTEXT_LINES): string {
  const lines = compared(shownLines(expected), shownLines(actual));
  const isNear = (place: number) =>
    lines
      .slice(Math.max(0, place - context), place + context + 1)
      .some((line) => !line.startsWith(" "));
  const near = lines.map((line, place) => (isNear(place) ? line : undefined));
  const text = near.flatMap((line, place) => {
    if (line !== undefined) return [line];
    return place === 0 || near[place - 1] !== undefined ? ["  …"] : [];
  });
  return ["- expected", "+ actual", "", ...text].join("\n");
}

function compared(expected: readonly string[], actual: readonly string[]): string[] {
  const without = (mark: string, lines: readonly string[]) => lines.map((line) => mark + line);
  if (expected.length * actual.length > TABLE_CELLS) {
    return [...without("- ", expected), ...without("+ ", actual)];
  }
  const common = commonLengths(expected, actual);
  const length = (i: number, j: number) => common[i]?.[j] ?? 0;
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < expected.length && j < actual.length) {
    if (expected[i] === actual[j]) {
      lines.push(`  ${expected[i]}`);
      [i, j] = [i + 1, j + 1];
    } else if (length(i + 1, j) >= length(i, j + 1)) {
      lines.push(`- ${expected[i]}`);
      i += 1;
    } else {
      lines.push(`+ ${actual[j]}`);
      j += 1;
    }
  }
  return [...lines, ...without("- ", expected.slice(i)), ...without("+ ", actual.slice(j))];
}

/** For each two places: the number of lines that both rests have in common, in the same order. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint32Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number) => table[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = table[i] as Uint32Array;
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  return table;
}

function shownLines(value: unknown): string[] {
  return shown(value, "", new Set()).split("\n");
}

function shown(value: unknown, indent: string, holders: Set<object>): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Date) return `Date(${String(value.getTime())})`;
  if (value instanceof Error) return String(value);
  if (holders.has(value)) return "(refers back)";
  holders.add(value);
  const inner = `${indent}  `;
  const items = Array.isArray(value)
    ? Array.from(value, (item) => shown(item, inner, holders))
    : Object.entries(value).map(([key, field]) => {
        return `${PLAIN_KEY.test(key) ? key : JSON.stringify(key)}: ${shown(field, inner, holders)}`;
      });
  holders.delete(value);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : [`${className(value)}{`, "}"];
  if (items.length === 0) return open + close;
  return `${open}\n${items.map((item) => `${inner}${item},\n`).join("")}${indent}${close}`;
}

/** The name of the class in front of an instance; nothing in front of a plain object. */
function className(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return "without a prototype ";
  if (Object.getPrototypeOf(prototype) === null) return "";
  return `${value.constructor.name} `;
}
