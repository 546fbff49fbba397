/** The banks in TypeScript and in Rust do the same: same answers, same events, same states. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { type Api, useApi } from "../support/api.ts";
import { migrate } from "../support/migrate.ts";

const at = (path: string) => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
const typescript = useApi({ config: at("bank/wrangler.toml") }, ({ server }) =>
  migrate(server, "DB", at("bank/migrations/0001_movements.sql")),
);
const rust = useApi({ config: at("bank-rust/wrangler.toml") });

/** The commands of each step, and the streams to compare after it. A transfer is compared when it has ended. */
const STEPS: readonly (readonly [stream: string, type: string, data: unknown])[] = [
  ["account-a", "Open", { owner: "Ada" }],
  ["account-a", "Deposit", { cents: 500 }],
  ["account-b", "Open", { owner: "Bob" }],
  ["transfer-1", "Request", { from: "account-a", to: "account-b", cents: 100 }],
  ["transfer-2", "Request", { from: "account-a", to: "account-b", cents: 401 }],
  ["transfer-3", "Request", { from: "account-a", to: "account-nobody", cents: 400 }],
  ["transfer-4", "Request", { from: "account-a", to: "account-a", cents: 400 }],
  ["transfer-5", "Request", { from: "account-a", to: "b", cents: 1 }],
  ["transfer-5", "Request", { from: "account-a", to: "account-b", cents: 0 }],
  ["transfer-5", "Lapse", null],
  ["transfer-1", "Request", { from: "account-a", to: "account-b", cents: 100 }],
];

async function ended(api: Api, transfer: string): Promise<void> {
  for (;;) {
    const { version, state } = (await api.state(transfer)).json;
    if (version === 0 || ["completed", "failed", "refunded"].includes(state.status)) return;
    await sleep(20);
  }
}

/** Everything that a caller sees of a stream, without times and ids. */
async function seen(api: Api, stream: string): Promise<unknown> {
  const { json } = await api.read(stream);
  const events = json.events.map(({ version, type, data }: any) => ({ version, type, data }));
  return { events, state: (await api.state(stream)).json };
}

for (const [place, [stream, type, data]] of STEPS.entries()) {
  test(`step ${place + 1}: ${type} of ${stream}`, async () => {
    const outcomes = [];
    for (const api of [typescript, rust]) {
      const { status, json } = await api.execute(stream, { type, data });
      const { version, rejection, code } = json;
      if (stream.startsWith("transfer-")) await ended(api, stream);
      const streams = await Promise.all(
        [stream, "account-a", "account-b"].map((name) => seen(api, name)),
      );
      outcomes.push({ status, version, rejection, code, streams });
    }
    assert.deepEqual(outcomes[1], outcomes[0]);
  });
}
