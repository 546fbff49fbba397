/**
 * The claim of an email address. Each address has a stream of its own, named by the hash of the address. All claims of one
 * address are decided there, one after the other. So at most one user has it.
 */

import { aggregate, reject } from "sillok";
import * as z from "zod";

const user = z.object({ user: z.string().min(1) });

export const email = aggregate("email", {
  events: { Claimed: user, Released: user },
  commands: { Claim: user, Release: user },
  initialState: () => ({ user: null as string | null }),
  evolve: {
    Claimed: (_, { user }) => ({ user }),
    Released: () => ({ user: null }),
  },
  decide: {
    Claim(data, state) {
      if (state.user === data.user) return [];
      return state.user === null ? { type: "Claimed", data } : reject("email_taken");
    },
    // A release by another user, or a second one, has nothing to do.
    Release: (data, state) => (state.user === data.user ? { type: "Released", data } : []),
  },
});

/** The id of an address: the SHA-256 hash of its normal form, in hexadecimal digits. */
export async function emailId(address: string): Promise<string> {
  const normal = new TextEncoder().encode(address.trim().toLowerCase());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", normal));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
