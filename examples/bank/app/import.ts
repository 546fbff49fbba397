/** Imports accounts of another bank: `node import.ts accounts.csv http://127.0.0.1:5173`. A second run changes nothing. */

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { connect } from "sillok/client";
import type { App } from "./worker.ts";

const [file = "accounts.csv", server = "http://127.0.0.1:5173"] = process.argv.slice(2);
const bank = connect<App>(server, { token: process.env.TOKEN });

let imported = 0;
// A line is an id, an owner and cents, such as `42,Ada,100`.
for await (const line of createInterface(createReadStream(file))) {
  const [id = "", owner = "", cents] = line.split(",");
  const account = bank.aggregate("account", id);
  await account.execute({ type: "Open", data: { owner } });
  // The id of a command makes a repeat return the first outcome.
  const deposit = { type: "Deposit", data: { cents: Number(cents) } } as const;
  await account.execute(deposit, { commandId: "import" });
  imported += 1;
}
console.log(`${imported} accounts are imported`);
