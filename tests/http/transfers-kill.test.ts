/**
 * Transfers of the example's bank while its code fails now and then, and workerd is killed amid them. No money is lost or made,
 * and every transfer ends once. With `SILLOK_SOAK=on` there are 200 transfers and 30 kills.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

import { Api, streamPath } from "../support/api.ts";
import { assertInOrder, feedOf } from "../support/feed.ts";
import { Seeded } from "../support/seeded.ts";
import { soak } from "../support/soak.ts";
import { sentOf, timersOf, until } from "../support/timers.ts";
import {
  accounts,
  allEvents,
  assertMoved,
  Client,
  deposited,
  endOf,
  openAccounts,
  type Transfer,
  transfersOf,
} from "../support/transfers.ts";

const [ROUNDS, TRANSFERS] = soak([4, 40], [30, 200]);
/** The longest time from the first answer of a round to the kill, in milliseconds. */
const LONGEST = 800;
/** The longest time until everything is quiet, in milliseconds. */
const PATIENCE = 180_000;
const vars = (failures: string) => ({ SILLOK_AUTH: "off", FAILURES: failures });

const api = new Api();
const statusOf = async (stream: string): Promise<string> =>
  (await api.state(stream)).json.state.status;
const isOver = (status: string) => ["completed", "failed", "refunded"].includes(status);

/** Attempts again what was parked while the code failed, as an operator does, and returns how many these were. */
async function retryParked(stream: string): Promise<number> {
  const parked = [
    ...(await sentOf(api, stream)).map((sent) => ({ ...sent, path: `sent/${sent.id}` })),
    ...(await timersOf(api, stream)).map((timer) => ({ ...timer, path: `timers/${timer.key}` })),
  ].filter(({ state }) => state === "parked");
  for (const { path } of parked) {
    const url = `${streamPath(stream)}/${path}/retry`;
    assert.equal((await api.request(url, { method: "POST" })).status, 204);
  }
  return parked.length;
}

test(
  `${TRANSFERS} transfers end once each and no money is lost in ${ROUNDS} kills`,
  { timeout: 900_000 },
  async (t) => {
    const choice = new Seeded();
    t.diagnostic(`SILLOK_SEED=${choice.seed}`);
    const entry = fileURLToPath(import.meta.resolve("../support/fire-worker.ts"));
    const transfers = transfersOf(TRANSFERS, choice);
    const clients = transfers.map((transfer) => new Client(transfer));
    await api.start({ entry, vars: vars("0.15") });
    t.after(() => api.stop());
    await openAccounts(api);

    let [cut, begun] = [0, 0];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const started = Math.ceil((TRANSFERS * round) / ROUNDS);
      const active = clients.slice(0, started).filter(({ answered }) => !answered);
      const sending = active.map((client) => client.send(api));
      // Some are killed before the first answer.
      if (round % 5 > 0) await Promise.race(sending);
      await sleep(choice.below(LONGEST));
      await api.server.kill();
      await Promise.all(sending);
      await api.server.restart();
      const recent = transfers.slice(begun, started);
      const open = await Promise.all(
        recent.map(async ({ stream }) => !isOver(await statusOf(stream))),
      );
      cut += open.filter(Boolean).length;
      begun = started;
    }

    // From now on nothing fails.
    await api.server.restart({ vars: vars("0") });
    await Promise.all(clients.map((client) => client.send(api)));
    let retried = 0;
    const settle = async ({ stream }: Transfer): Promise<void> => {
      await until(() => statusOf(stream), isOver, 5000).catch(async () => {
        retried += await retryParked(stream);
        await until(() => statusOf(stream), isOver, PATIENCE);
      });
      await until(
        () => sentOf(api, stream),
        (sent) => sent.length === 0,
      );
      assert.deepEqual(await timersOf(api, stream), [], stream);
    };
    await Promise.all(transfers.map(settle));

    const ledger = new Map<string, any[]>();
    const missing = transfers.flatMap(({ order }) => [order.from, order.to]);
    for (const account of new Set([...accounts, ...missing])) {
      ledger.set(account, await allEvents(api, account));
    }
    const versions = new Map([...ledger].map(([stream, events]) => [stream, events.length]));
    const ends: Record<string, number> = {};
    let lapsed = 0;
    for (const transfer of transfers) {
      const events = await allEvents(api, transfer.stream);
      versions.set(transfer.stream, events.length);
      const end = endOf(events, transfer.stream);
      assert.equal(await statusOf(transfer.stream), end);
      assertMoved(transfer, end, ledger);
      ends[end] = (ends[end] ?? 0) + 1;
      if (events.some(({ type }) => type === "Lapsed")) lapsed += 1;
    }

    let [sum, counted] = [0, 0];
    for (const account of accounts) {
      const { owner: _, cents } = (await api.state(account)).json.state;
      assert(cents >= 0, `${account}: ${cents}`);
      sum += cents;
      for (const { type, data } of ledger.get(account) ?? []) {
        if (type === "Deposited") counted += data.cents;
        if (type === "Withdrawn") counted -= data.cents;
      }
      assert.deepEqual(await sentOf(api, account), []);
    }
    assert.deepEqual([sum, counted], [deposited, deposited]);

    // The journal has all of it.
    const count = [...versions.values()].reduce((all, version) => all + version, 0);
    assertInOrder((await feedOf(api, count)).events, versions);

    const replays = clients.reduce((all, client) => all + client.replays, 0);
    t.diagnostic(`${JSON.stringify(ends)}, ${lapsed} of them lapsed; ${sum} cents as at the start`);
    t.diagnostic(
      `${cut} transfers were open after a kill; ${replays} answers were repeats; ${retried} commands were parked and retried`,
    );
    for (const end of ["completed", "failed", "refunded"]) assert((ends[end] ?? 0) > 0, end);
    assert(cut > 0, "no kill has come amid a transfer");
    // Few kills may all miss the time between the effect of a request and its answer.
    assert(ROUNDS < 30 || replays > 0, "no request was answered after it had taken effect");
  },
);
