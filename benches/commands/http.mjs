// Measures in workerd the commands of one stream's object in a second, over HTTP, beside an object that a user writes by hand and
// that decides the same. Run it after a build: node benches/commands/http.mjs [rounds]
import { fileURLToPath } from "node:url";

import { startServer } from "../../tests/support/server.ts";
import { answered, compare, repeat } from "../object/beside.mjs";

const ROUNDS = Number(process.argv[2] ?? 7);
const [AT_ONCE, COMMANDS] = [16, 1500];

const withdraw = JSON.stringify({ type: "Withdraw", data: { cents: 1 } });
const refused = JSON.stringify({ type: "Withdraw", data: { cents: 1_000_000_000 } });

/** Each round and each work has an account of its own. */
const commands = (url, account) => new URL(`/v1/streams/account-${account}/commands`, url).href;
const execute = (url, body, status = 200) => answered(url, status, { method: "POST", body });

/** Sends the same command so many times to an account that can pay for it. */
function work(name, senders, body, status) {
  const account = (url, round) => commands(url, `${name}-${round}`);
  return {
    count: COMMANDS,
    async prepare(url, round) {
      const open = { type: "Open", data: { owner: "Ada" } };
      const deposit = { type: "Deposit", data: { cents: 1_000_000 } };
      for (const first of [open, deposit])
        await execute(account(url, round), JSON.stringify(first));
    },
    run: (url, round) =>
      repeat(COMMANDS, senders, () => execute(account(url, round), body, status)),
  };
}

const WORKS = {
  "commands a second, 16 at once": work("busy", AT_ONCE, withdraw),
  "commands a second, one after the other": work("calm", 1, withdraw),
  "rejected commands a second, 16 at once": work("refused", AT_ONCE, refused, 422),
};

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const servers = {
  "by hand": await startServer({ config: at("../object/wrangler.toml"), entry: at("by-hand.js") }),
  sillok: await startServer({ entry: at("worker.ts") }),
};
await compare(servers, WORKS, ROUNDS);
