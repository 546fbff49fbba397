// The form of the behaviours, and their assertions. The behaviours also run without node:assert, in a page or in a Worker.

// The tests import this file as it is.
import { difference } from "../aggregate/difference.ts";
import type { OpenStore } from "./index.js";

/** Behaviours by their names. Each function throws if the store does not have the behaviour. */
export type Behaviours = Readonly<Record<string, (open: OpenStore) => Promise<void>>>;

/** Fails unless both values are deeply equal: Dates by their time, and 0 is not -0. */
export function same(actual: unknown, expected: unknown, about = "value"): void {
  if (difference(actual, expected) !== undefined) {
    throw new Error(`${about}: ${shown(actual)} instead of ${shown(expected)}`);
  }
}

/** The error of a rejected promise. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("the promise must reject");
}

/** The code and the field of the error of a rejected promise. It must be a SillokError. */
export async function refusal(promise: Promise<unknown>): Promise<[unknown, unknown]> {
  const error = await rejection(promise);
  if (!(error instanceof Error) || error.name !== "SillokError") {
    throw new Error(`the error must be a SillokError, but it is ${shown(error)}`, { cause: error });
  }
  const { code, field } = error as { code?: unknown; field?: unknown };
  return [code, field];
}

/** All values of an iterable. */
export async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

/** The whole numbers from one to another. */
export function count(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, place) => from + place);
}

function shown(value: unknown): string {
  return value instanceof Error ? String(value) : (JSON.stringify(value) ?? String(value));
}
