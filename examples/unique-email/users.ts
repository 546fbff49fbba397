/**
 * The two steps of a change: first the claim, then the user. Each step is one command, and each command can be repeated. So
 * after a failure, repeat the whole call.
 */

import type { Client } from "sillok";
import { emailId } from "./email.ts";
import type { App } from "./worker.ts";

/** Sets the address of a user, if no other user has it. */
export async function setEmail(client: Client<App>, id: string, email: string) {
  const user = client.aggregate("user", id);
  const setting = { type: "SetEmail", data: { email } } as const;
  // An invalid id or address is an error here, before the address is claimed.
  await user.attempt(setting, { dryRun: true });

  const claim = client.aggregate("email", await emailId(email));
  const claimed = await claim.attempt({ type: "Claim", data: { user: id } });
  if (!claimed.accepted) return claimed.rejection.code;

  const set = await user.attempt(setting);
  if (set.accepted) return "done";
  // A closed user never gets an address again. So nobody uses this one.
  await claim.execute({ type: "Release", data: { user: id } });
  return set.rejection.code;
}

/** Closes a user, and releases the addresses. An address is never released before: its user may still set it again. */
export async function close(client: Client<App>, id: string) {
  const user = client.aggregate("user", id);
  await user.execute({ type: "Close" });
  const { state } = await user.state();
  for (const email of state.emails) {
    const claim = client.aggregate("email", await emailId(email));
    await claim.execute({ type: "Release", data: { user: id } });
  }
}
