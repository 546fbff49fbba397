// The contract of every store, from the tarball.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";

import type { OpenAnother, OpenStore } from "sillok/testing";
import type { Scratch } from "./scratch.ts";

/** The lowest possible number. Fewer behaviours mean that some are missing. */
export const LEAST_BEHAVIOURS = 50;

/** Tests that the stores of `open` obey the contract. */
export async function keepsContract(
  t: TestContext,
  scratch: Scratch,
  open: OpenStore,
  another?: OpenAnother,
): Promise<void> {
  const contract = (await scratch.testing()).storeContract(open, another);
  assert.equal(new Set(contract.map(({ name }) => name)).size, contract.length);
  assert.ok(contract.length >= LEAST_BEHAVIOURS, `${contract.length} behaviours`);
  for (const { name, run } of contract) await t.test(name, run);
}
