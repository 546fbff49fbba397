/** Transfers of a bank for a test, and a client that requests each of them until it has an answer. */

import assert from "node:assert/strict";

import { type Api, type Reply, streamPath } from "./api.ts";
import type { Seeded } from "./seeded.ts";

export const ACCOUNTS = 20;
/** These accounts have too little money for more than one transfer. */
const POOR = 6;
const [MUCH, LITTLE] = [10_000_000, 1500];

export const accounts = Array.from({ length: ACCOUNTS }, (_, n) => `account-${n}`);
/** The first deposit of each account. No transfer has the same amount. */
export const firstDeposit = (account: string): number =>
  accounts.indexOf(account) < ACCOUNTS - POOR ? MUCH : LITTLE;
export const deposited = accounts.reduce((sum, account) => sum + firstDeposit(account), 0);

/** A transfer of an amount that no other one has, so that the events of accounts say of which one they are. */
export interface Transfer {
  readonly stream: string;
  readonly order: { readonly from: string; readonly to: string; readonly cents: number };
  /** Whether a client lets it lapse. */
  readonly lapses: boolean;
}

export function transfersOf(count: number, choice: Seeded): Transfer[] {
  return Array.from({ length: count }, (_, n) => {
    const from = choice.below(ACCOUNTS);
    const to = (from + 1 + choice.below(ACCOUNTS - 1)) % ACCOUNTS;
    const missing = choice.below(10);
    const order = {
      from: missing === 0 ? `account-missing-${n}` : `account-${from}`,
      to: missing === 1 ? `account-missing-${n}` : `account-${to}`,
      cents: 1000 + n,
    };
    return { stream: `transfer-${n}`, order, lapses: choice.below(4) === 0 };
  });
}

/** Opens the accounts, whose code may fail now and then. */
export async function openAccounts(api: Api): Promise<void> {
  const done = async (account: string, type: string, data: object): Promise<void> => {
    const headers = { "Idempotency-Key": type };
    for (;;) {
      const reply = await api.execute(account, { type, data }, headers);
      if (reply.status === 200) return;
      assert.equal(reply.json.code, "decider_failed", reply.text);
    }
  };
  for (const account of accounts) {
    await done(account, "Open", { owner: `the owner of ${account}` });
    await done(account, "Deposit", { cents: firstDeposit(account) });
  }
}

/** A client of one transfer. It sends its request several times at once, under one id. */
export class Client {
  readonly transfer: Transfer;
  /** Whether the request was answered. */
  answered = false;
  /** How many requests had already taken effect when they were answered, because a kill cut their first answer off. */
  replays = 0;
  #version: number | undefined;

  constructor(transfer: Transfer) {
    this.transfer = transfer;
  }

  /** Sends until there is an answer, or until the server is gone. */
  async send(api: Api): Promise<void> {
    const { stream, order, lapses } = this.transfer;
    const request = { type: "Request", data: order };
    const headers = { "Idempotency-Key": `of-${stream}` };
    const one = () => api.execute(stream, request, headers).catch(() => undefined);
    const lapse = () =>
      lapses
        ? api.execute(stream, { type: "Lapse", data: null }).catch(() => undefined)
        : undefined;
    while (!this.answered) {
      const [first, second] = await Promise.all([one(), one(), lapse()]);
      if (first === undefined || second === undefined) return;
      for (const reply of [first, second]) this.#take(reply);
      // One of two requests is the first, unless an earlier one took effect and its answer was lost.
      if (first.json.replayed && second.json.replayed) this.replays += 1;
    }
  }

  #take(reply: Reply): void {
    if (reply.status === 500 || reply.status === 503) {
      assert.equal(reply.json.code, "decider_failed", reply.text);
      return;
    }
    assert.equal(reply.status, 200, reply.text);
    const { firstVersion, events } = reply.json;
    assert.equal(firstVersion, this.#version ?? firstVersion, "one request has two outcomes");
    assert.deepEqual(
      events.map(({ type }: any) => type),
      ["Requested"],
    );
    this.#version = firstVersion;
    this.answered = true;
  }
}

export async function allEvents(api: Api, stream: string): Promise<any[]> {
  const events: any[] = [];
  for (let path: string | null = `${streamPath(stream)}/events`; path;) {
    const reply: Reply = await api.request(path);
    assert.equal(reply.status, 200, reply.text);
    events.push(...reply.json.events);
    path = reply.json.next;
  }
  return events;
}

export type Ledger = ReadonlyMap<string, readonly any[]>;

/** The status of a transfer after each event that ends it. */
const ENDS: Readonly<Record<string, string>> = {
  Completed: "completed",
  Failed: "failed",
  Refunded: "refunded",
};

/** The status with which a transfer has ended, by its own events: exactly one of them is an end, and it is the last one. */
export function endOf(events: readonly any[], stream: string): string {
  const types = events.map(({ type }) => type);
  const ends = types.filter((type) => type in ENDS);
  assert.deepEqual(ends, types.slice(-1), `${stream}: ${types}`);
  assert.equal(types.filter((type) => type === "Requested").length, 1, `${stream}: ${types}`);
  return ENDS[ends[0]]!;
}

/** Asserts that the accounts have exactly the movements of a transfer that has ended so. */
export function assertMoved({ stream, order }: Transfer, end: string, ledger: Ledger): void {
  const moved = (account: string, type: string) =>
    (ledger.get(account) ?? []).filter(
      (event) => event.type === type && event.data.cents === order.cents,
    ).length;
  const { from, to } = order;
  const found = [moved(from, "Withdrawn"), moved(to, "Deposited"), moved(from, "Deposited")];
  const expected = { completed: [1, 1, 0], failed: [0, 0, 0], refunded: [1, 0, 1] }[end];
  assert.deepEqual(found, expected, `${stream} is ${end}`);
}
