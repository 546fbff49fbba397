/** workerd is killed amid commands. Each client repeats its command under its id, and every command takes effect once. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

import { Api, type Reply, streamPath } from "../support/api.ts";
import { soak } from "../support/soak.ts";

const ROUNDS = soak(10, 30);
const STREAMS = ["tally-1", "tally-2"];
const CLIENTS = 3;
/** The longest time for which clients send commands in a round, in milliseconds. */
const LONGEST = 240;

const api = new Api();

/** A client that sends one command after the other, each until it has an answer. */
class Commander {
  readonly stream: string;
  readonly id: string;
  /** The number of answered commands. */
  answered = 0;
  /** How often an unanswered command had already taken effect. */
  replayed = 0;

  constructor(stream: string, id: string) {
    this.stream = stream;
    this.id = id;
  }

  /** Sends commands until the server is gone. */
  async send(until: () => boolean, answered?: () => void): Promise<void> {
    while (!until()) {
      const headers = { "Idempotency-Key": `${this.id}-${this.answered}` };
      const command = { type: "Count", data: { n: 1 } };
      const reply: Reply | undefined = await api
        .execute(this.stream, command, headers)
        .catch(() => undefined);
      if (reply?.status !== 200) return;
      this.answered += 1;
      answered?.();
      if (reply.json.replayed) this.replayed += 1;
    }
  }
}

test(`commands take effect once in ${ROUNDS} kills`, async (t) => {
  const entry = fileURLToPath(import.meta.resolve("../support/bank-worker.ts"));
  await api.start({ entry });
  t.after(() => api.stop());
  const commanders = STREAMS.flatMap((stream) =>
    Array.from({ length: CLIENTS }, (_, n) => new Commander(stream, `${n}`)),
  );
  for (let round = 1; round <= ROUNDS; round += 1) {
    const { promise: first, resolve: answered } = Promise.withResolvers<void>();
    const sending = commanders.map((commander) => commander.send(() => false, answered));
    // Some are killed before the first answer, if that takes a while.
    if (round % 5 > 0) await first;
    await sleep(Math.random() * LONGEST);
    await api.server.kill();
    await Promise.all(sending);
    await api.server.restart();
  }
  // Each finishes the command that was cut off.
  for (const commander of commanders) {
    const end = commander.answered + 1;
    await commander.send(() => commander.answered >= end);
  }
  for (const stream of STREAMS) {
    const answered = commanders
      .filter((commander) => commander.stream === stream)
      .reduce((sum, commander) => sum + commander.answered, 0);
    const { version, state } = (await api.state(stream)).json;
    assert.deepEqual([version, state.sum], [answered, answered]);
    assert.equal((await api.request(`${streamPath(stream)}/verify`)).json.intact, true);
  }
  const replayed = commanders.reduce((sum, commander) => sum + commander.replayed, 0);
  const answered = commanders.reduce((sum, commander) => sum + commander.answered, 0);
  t.diagnostic(
    `${answered} commands were answered; ${replayed} of them after they had taken effect`,
  );
  assert.ok(answered >= ROUNDS, `${answered} answers`);
  // Otherwise no kill has come between the effect of a command and its answer.
  assert.ok(replayed > 0, "no command was answered after it had taken effect");
});
