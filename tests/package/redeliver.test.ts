// `redeliver` of the kit: a reactor that is interrupted after each of its effects.

import assert from "node:assert/strict";
import { test } from "node:test";

import { all } from "./check.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();

type Placed = { type: "Placed"; data: { to: string } };

async function kit() {
  const sillok = await scratch.sillok();
  const { redeliver } = await scratch.testing();
  const when = async (app: import("sillok/testing").MemoryApp) => {
    await app.store.append("order-1", { type: "Placed", data: { to: "ada" } });
    await app.advance(0);
  };
  return { sillok, redeliver, when };
}

test("a reactor that sends the same again passes, and its effects are listed", async () => {
  const { sillok, redeliver, when } = await kit();
  const account = sillok.aggregate<{ type: "Added" }, { type: "Add" }, number>("account", {
    initialState: () => 0,
    evolve: (sum) => sum + 1,
    decide: () => ({ type: "Added" }),
  });
  const attempts: number[] = [];
  const billing = sillok.reactor<Placed>("billing", {
    on: {
      async Placed({ id }, { append, attempt, execute }) {
        attempts.push(attempt);
        await append(`invoice-${id}`, { type: "Issued", data: { for: id } });
        await execute("account-1", { type: "Add" }, account);
        await append("log-1", { type: "Noted" });
      },
    },
  });
  const { effects } = await redeliver(billing, { aggregates: [account], when });
  assert.match(effects[0] ?? "", /^append to invoice-/);
  assert.deepEqual(effects.slice(1), ["execute at account-1", "append to log-1"]);
  assert.deepEqual(attempts, [1, 1, 2, 1, 2, 1, 2], "once whole, and twice for each effect");
});

test("a reactor that decides otherwise at a repeat fails, naming the effect", async () => {
  const { sillok, redeliver, when } = await kit();
  const wrong = sillok.reactor<Placed>("wrong", {
    on: {
      async Placed(_, { append, read }) {
        const first = await all(read("log-1"));
        await append(`log-${first.length + 1}`, { type: "Noted" });
      },
    },
  });
  await assert.rejects(redeliver(wrong, { when }), {
    name: "AssertionError",
    message:
      /^interrupted after its effect 1, append to log-1, the reactor wrong ends otherwise: `streams\["log-2"\]` differs/,
  });
});

test("the calls of the environment are effects, and its outcome is compared", async () => {
  const { sillok, redeliver, when } = await kit();
  class Mail {
    readonly #sent: string[] = [];
    send(to: string): void {
      this.#sent.push(to);
    }
    get sent(): readonly string[] {
      return this.#sent;
    }
  }
  const mailer = sillok.reactor<Placed, { mail: { send(to: string): void } }>("mailer", {
    on: ({ data }, { env }) => env.mail.send(data.to),
  });
  const options = { when, env: () => ({ mail: new Mail() }) };
  assert.deepEqual((await redeliver(mailer, options)).effects, ["env.mail.send"]);
  const repeated = redeliver(mailer, { ...options, outcome: ({ mail }) => mail.sent });
  await assert.rejects(repeated, { message: /env\.mail\.send, .*`outcome\[1\]` differs/ });
});

test("a handler cannot catch its interruption", async () => {
  const { sillok, redeliver, when } = await kit();
  const catching = sillok.reactor<Placed>("catching", {
    category: "order",
    attempts: 1,
    async on(_, { append }) {
      await append("log-1", { type: "One" }).catch(() => undefined);
      await append("log-1", { type: "Two" }).catch(() => undefined);
    },
  });
  assert.equal((await redeliver(catching, { when })).effects.length, 2);
});

test("a failure of the handler itself is thrown, and wrong options are refused", async () => {
  const { sillok, redeliver, when } = await kit();
  const failing = sillok.reactor<Placed>("failing", {
    attempts: 1,
    on() {
      throw new Error("my own");
    },
  });
  await assert.rejects(redeliver(failing, { when }), {
    message: /failing, at order-1@1, failed in attempt 1: my own/,
  });
  const endless = sillok.reactor<Placed>("endless", {
    on: ({ id }, { append }) => append(`order-${id}`, { type: "Placed" }),
  });
  await assert.rejects(redeliver(endless, { when }), { message: /more than 1000 effects/ });
  const idle = sillok.reactor<Placed>("idle", { on: () => undefined });
  const refused = { code: "invalid_parameter", field: "when" };
  await assert.rejects(redeliver(idle, { when }), refused);
  await assert.rejects(redeliver(idle, {} as never), refused);
  await assert.rejects(redeliver(idle, { when, env: 1 as never }), { field: "env" });
  await assert.rejects(redeliver(idle, { when, wrong: 1 } as never), { field: "wrong" });
});
