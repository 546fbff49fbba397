/** A program that uses the bank: `node client.ts`. */

import { connect } from "sillok";
import type { App } from "./worker.ts";

const url = process.argv[2] ?? "http://127.0.0.1:8787";
const bank = connect<App>(url, { token: process.env.TOKEN });
const account = bank.aggregate("account", "7");
await account.execute({ type: "Open", data: { owner: "Ada" } });
await account.execute({ type: "Deposit", data: { cents: 100 } }, { commandId: "deposit-1" });

const outcome = await account.attempt({ type: "Withdraw", data: { cents: 130 } });
if (!outcome.accepted) console.log(outcome.rejection);
// prints: { code: 'insufficient_funds', data: { missing: 30 } }

const { state, version } = await account.state();
console.log(version, state.owner, state.cents); // 2 Ada 100
