/**
 * A Worker that uses the bank over a service binding, with the token of its caller. The path names the account. The body of a
 * request is a command. A request without a body asks for the state, the balance and the types of the events.
 */

import { connect, isSillokError } from "sillok";

import type { App } from "../../examples/bank/worker.ts";

type Bank = ReturnType<typeof connect<App>>;

export default {
  async fetch(request: Request, { BANK }: { BANK: Fetcher }): Promise<Response> {
    const token = request.headers.get("authorization")?.replace("Bearer ", "");
    const bank = connect<App>(BANK, token === undefined ? {} : { token });
    try {
      return Response.json(await answer(bank, request));
    } catch (error) {
      if (!isSillokError(error)) throw error;
      return Response.json({ code: error.code }, { status: 500 });
    }
  },
};

async function answer(bank: Bank, request: Request): Promise<unknown> {
  const account = bank.aggregate("account", new URL(request.url).pathname.slice(1));
  if (request.method === "POST") {
    const commandId = request.headers.get("idempotency-key");
    const options = commandId === null ? {} : { commandId };
    return account.attempt(await request.json(), options);
  }
  const { state, version } = await account.state();
  const min = { stream: account.stream, version };
  const balance = await bank.documents("balances").get(account.stream, { min });
  const types = [];
  for await (const { type } of bank.store.read(account.stream)) types.push(type);
  return { state, version, balance, types };
}
