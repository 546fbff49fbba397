// Writes values as JSON, and refuses values that JSON would lose.
//
// `JSON.stringify` changes NaN to null, drops functions and empties a Map in silence. Here each of them is an error that
// names its place. The writer reads every property once, so it writes the value that it has checked.

import { SillokError } from "./errors.js";
import { JSON_CHARACTERS, JSON_LEVELS } from "./limits.js";

const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;
const PLAIN_KEY = /^[A-Za-z_$][\w$]*$/;

/** A value as JSON. */
export interface WrittenJson {
  readonly text: string;
  /** The keys that lead to each `Date` in the value. */
  readonly dates: readonly (readonly string[])[];
}

/** Writes `value` as JSON. Errors name the value `name` and its fields `name.field`, or `field` if `name` is empty. */
export function writeJson(value: unknown, name: string): WrittenJson {
  return written(new JsonWriter(name, false), value);
}

/**
 * Writes `value` as JSON that gives an equal value when it is read: a `Date`, an instance of a class and a value with
 * `toJSON` are refused too. A field that is undefined counts as a field that is not there.
 */
export function writeExactJson(value: unknown, name: string): string {
  return written(new JsonWriter(name, true), value).text;
}

function written(writer: JsonWriter, value: unknown): WrittenJson {
  const text = writer.write(value);
  if (text === undefined) throw writer.refusal("is undefined");
  return { text, dates: writer.dates };
}

class JsonWriter {
  readonly dates: string[][] = [];
  readonly #name: string;
  /** Whether the value must not change when its JSON is read. */
  readonly #exact: boolean;
  /** The keys that lead to the current value. A number is a place in an array. */
  readonly #path: (string | number)[] = [];
  /** The objects that contain the current value. */
  readonly #holders = new Set<object>();

  constructor(name: string, exact: boolean) {
    this.#name = name;
    this.#exact = exact;
  }

  /** The JSON of the value, or undefined where JSON leaves the value out. */
  write(value: unknown): string | undefined {
    switch (typeof value) {
      case "string":
        return quoted(value);
      case "number":
        return this.#number(value);
      case "boolean":
        return value ? "true" : "false";
      case "undefined":
        return undefined;
      case "object":
        return value === null ? "null" : this.#object(value);
      default:
        throw this.refusal(`is a ${typeof value}`);
    }
  }

  /** The error for a value that JSON cannot represent. */
  refusal(reason: string): SillokError {
    return this.#refused(`${reason}, which JSON cannot represent`);
  }

  #refused(reason: string): SillokError {
    const field = this.#field();
    return new SillokError({ code: "invalid_event", detail: `${field} ${reason}`, field });
  }

  #number(value: number): string {
    if (!Number.isFinite(value)) throw this.refusal(`is ${value}`);
    return Object.is(value, -0) ? "-0" : String(value);
  }

  #object(value: object): string | undefined {
    if (this.#exact) this.#checkExact(value);
    if (isDate(value)) return this.#date(value);
    if (this.#holders.has(value)) throw this.refusal("refers back to itself");
    if (this.#holders.size >= JSON_LEVELS) {
      throw this.#refused(`is more than ${JSON_LEVELS} levels deep`);
    }
    this.#holders.add(value);
    const text = hasToJson(value) ? this.#converted(value) : this.#fields(value);
    this.#holders.delete(value);
    return text;
  }

  /** Refuses an object that is not an object of JSON. */
  #checkExact(value: object): void {
    if (Array.isArray(value)) return;
    if (isDate(value)) throw this.#refused("is a Date, which JSON changes to a text");
    if (hasToJson(value)) throw this.#refused("has `toJSON`, so JSON changes it");
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && isPlain(value)) return;
    const tag = tagOf(value);
    if (tag !== "[object Object]") throw this.refusal(`is ${tag}`);
    const what = prototype === null ? "an object without a prototype" : "an instance of a class";
    throw this.#refused(`is ${what}, which JSON changes to a plain object`);
  }

  #converted(value: { toJSON(key: string): unknown }): string | undefined {
    const json = value.toJSON(String(this.#path.at(-1) ?? ""));
    // The result is not converted again by its own `toJSON`: it may be the same object.
    const isComposite = typeof json === "object" && json !== null && !isDate(json);
    return isComposite ? this.#fields(json) : this.write(json);
  }

  #date(value: Date): string {
    const time = Date.prototype.getTime.call(value);
    if (Number.isNaN(time)) throw this.refusal("is an invalid Date");
    if (Object.keys(value).length > 0) throw this.refusal("is a Date with fields of its own");
    this.dates.push(this.#path.map(String));
    return `"${Date.prototype.toISOString.call(value)}"`;
  }

  #fields(value: object): string {
    return Array.isArray(value) ? this.#array(value) : this.#record(value);
  }

  #array(values: readonly unknown[]): string {
    if (Object.keys(values).length !== values.length) {
      throw this.refusal("is an array with gaps or with fields of its own");
    }
    this.#checkKeys(values);
    let text = "";
    for (let place = 0; place < values.length; place += 1) {
      this.#path.push(place);
      const item = this.write(values[place]);
      if (item === undefined) throw this.refusal("is undefined");
      this.#path.pop();
      text += text === "" ? item : `,${item}`;
      this.#checkLength(text);
    }
    return `[${text}]`;
  }

  #record(value: object): string {
    const tag = tagOf(value);
    if (tag !== "[object Object]") throw this.refusal(`is ${tag}`);
    const keys = Object.keys(value);
    if (keys.length === 0 && !isPlain(value)) {
      throw this.refusal("is an instance of a class without fields of its own");
    }
    this.#checkKeys(value);
    let text = "";
    for (const key of keys) {
      this.#path.push(key);
      const field = this.write((value as Record<string, unknown>)[key]);
      this.#path.pop();
      if (field === undefined) continue;
      text += `${text === "" ? "" : ","}${quoted(key)}:${field}`;
      this.#checkLength(text);
    }
    return `{${text}}`;
  }

  #checkKeys(value: object): void {
    if (Object.getOwnPropertySymbols(value).some((key) => isEnumerable(value, key))) {
      throw this.refusal("has a symbol as a key");
    }
  }

  #checkLength(text: string): void {
    if (text.length <= JSON_CHARACTERS) return;
    const detail = `${this.#field()} is more than ${JSON_CHARACTERS} characters of JSON`;
    throw new SillokError({ code: "commit_too_large", detail, field: "events" });
  }

  #field(): string {
    return fieldAt(this.#name, this.#path) || "event";
  }
}

/** The name of the field to which keys lead: `events[2].data.cents`. Without keys it is `name`, which may be empty. */
export function fieldAt(name: string, path: readonly PropertyKey[]): string {
  const steps = path.map((key) => {
    if (typeof key === "number") return `[${key}]`;
    const text = String(key);
    return PLAIN_KEY.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`;
  });
  const field = name + steps.join("");
  return field.startsWith(".") ? field.slice(1) : field;
}

function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** `[object Object]`, `[object Map]` …, also for an object from another window or context. */
/** The tag of a value, such as `[object Map]`. */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function isDate(value: object): value is Date {
  if (tagOf(value) !== "[object Date]") return false;
  try {
    Date.prototype.getTime.call(value);
    return true;
  } catch {
    // Only its tag says that it is a Date.
    return false;
  }
}

function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function";
}

/** Whether the object was written as `{…}` or has no prototype, in whichever window or context. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isEnumerable(value: object, key: symbol): boolean {
  return Object.prototype.propertyIsEnumerable.call(value, key);
}
