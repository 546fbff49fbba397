// Random values that an attacker could send, or a program that ignores prototypes. The same seed makes the same values.

/**
 * Names of members that every object has, names that the package's notes had, and names that are not well-formed Unicode. None
 * has a backslash: after V8 has seen a key such as `\\`, its own `JSON.parse` may confuse it with `\n` or `"`.
 */
const KEYS = [
  ...["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "toJSON"],
  ...["__defineGetter__", "length", "0", "1", "-1", "saved", "dates", "event", "then", "at"],
  ...["type", "data", "metadata", "aggregateId", "id", "stream"],
  ...["", "a", "b", "a.b", "[0]", '"', "\n", "\u0000", "é", "\ud83d", "\udc00x", "\u{1f980}"],
];

const TEXTS = ["1970-01-01T00:00:00.000Z", "1970-01-01", "polluted", "\ud800", "\u2028", '"}', ""];

/** Values that JSON loses without an error. */
const LOST = [NaN, Infinity, 1n, () => 1, Symbol("s"), new Map(), new Set(), new Date(NaN), [,]];

type Fields = Record<string, unknown>;

export class Hostile {
  /** Whether a value was made that JSON would lose, since this was last set. */
  isLossy = false;
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number below `end`: mulberry32. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T;
  }

  key(): string {
    return this.one(KEYS);
  }

  /** A value that JSON can express. */
  json(depth = 3): unknown {
    const kinds = depth === 0 ? 5 : 8;
    switch (this.below(kinds)) {
      case 0:
        return null;
      case 1:
        return this.one([0, -0, 1, -1.5, 1e21, 2 ** 53]);
      case 2:
        return this.one([true, false]);
      case 3:
        return this.key();
      case 4:
        return this.one(TEXTS);
      case 5:
        return this.#items(() => this.json(depth - 1));
      default:
        return this.#fields(() => this.json(depth - 1));
    }
  }

  /** A value of a program: also a Date, and sometimes a value that JSON would lose. */
  value(depth = 3): unknown {
    const kind = this.below(40);
    if (kind === 0) return this.#lost();
    if (kind < 8) return new Date(this.one([0, 5, -1e14, 8.64e15, -8.64e15]));
    if (kind === 8 || depth === 0) return this.json(0);
    return kind < 20
      ? this.#items(() => this.value(depth - 1))
      : this.#fields(() => (this.below(10) === 0 ? undefined : this.value(depth - 1)));
  }

  /** Metadata with paths that would mislead code which follows them. */
  metadata(data: unknown): Fields {
    switch (this.below(4)) {
      case 0:
        return this.fields(() => this.json(2));
      case 1:
        return { saved: this.json(2) };
      case 2:
        return { saved: { dates: this.json(2) } };
      default:
        return { saved: { dates: Array.from({ length: 3 }, () => this.#path(data)) } };
    }
  }

  /** An object whose own members have these names. */
  fields(value: () => unknown): Fields {
    const fields: Fields = {};
    for (let left = this.below(4); left > 0; left -= 1) {
      Object.defineProperty(fields, this.key(), {
        value: value(),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return fields;
  }

  #fields(value: () => unknown): Fields {
    const fields = this.fields(value);
    // JSON.stringify would call a function of this name.
    if (typeof fields["toJSON"] === "function") fields["toJSON"] = null;
    return fields;
  }

  #items(value: () => unknown): unknown[] {
    return Array.from({ length: this.below(4) }, value);
  }

  #lost(): unknown {
    this.isLossy = true;
    return this.one(LOST);
  }

  /** A path that leads to a place in the data, or ends outside it. */
  #path(data: unknown): unknown[] {
    const path: unknown[] = [];
    let at = data;
    while (this.below(4) > 0) {
      const own = typeof at === "object" && at !== null ? Object.keys(at) : [];
      const key = own.length > 0 && this.below(4) > 0 ? this.one(own) : this.key();
      path.push(this.below(20) === 0 ? this.json(1) : key);
      at = own.includes(key) ? (at as Fields)[key] : undefined;
    }
    return path;
  }
}

/** Whether the found value is the stored one. Members that are undefined are left out. */
export function isKept(kept: unknown, found: unknown): boolean {
  if (typeof kept !== "object" || kept === null) return Object.is(kept, found);
  if (typeof found !== "object" || found === null) return false;
  if (Object.getPrototypeOf(kept) !== Object.getPrototypeOf(found)) return false;
  if (kept instanceof Date) return kept.getTime() === (found as Date).getTime();
  const own = (of: object, key: string): unknown => Object.getOwnPropertyDescriptor(of, key)?.value;
  const keys = Object.keys(kept).filter((key) => own(kept, key) !== undefined);
  return (
    keys.length === Object.keys(found).length &&
    keys.every((key) => Object.hasOwn(found, key) && isKept(own(kept, key), own(found, key)))
  );
}

/** The members of the prototypes of all kinds of values. */
export function prototypes(): unknown[] {
  const shared = [Object, Array, Date, String, Number, Boolean, Function, Map, Promise, Error];
  return shared.flatMap(({ prototype }) => [
    Object.getPrototypeOf(prototype),
    ...Reflect.ownKeys(prototype).flatMap((key) => {
      const { value, get, set } = Object.getOwnPropertyDescriptor(prototype, key) ?? {};
      return [key, value, get, set];
    }),
  ]);
}
