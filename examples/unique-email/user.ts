/** A user with an email address. The user claims an address before it is set: see users.ts. */

import { aggregate, reject } from "sillok";
import * as z from "zod";

const address = z.object({ email: z.email() });
/** `emails` has every address that the user has claimed and set, also earlier ones. */
const none = { email: null as string | null, emails: [] as string[], isClosed: false };

export const user = aggregate("user", {
  events: { EmailSet: address, Closed: z.null() },
  commands: { SetEmail: address, Close: z.null() },
  initialState: () => none,
  evolve: {
    EmailSet: (state, { email }) => ({
      ...state,
      email,
      emails: [...new Set([...state.emails, email])],
    }),
    Closed: (state) => ({ ...state, email: null, isClosed: true }),
  },
  decide: {
    SetEmail(data, state) {
      if (state.isClosed) return reject("user_closed");
      return state.email === data.email ? [] : { type: "EmailSet", data };
    },
    Close: (_, state) => (state.isClosed ? [] : { type: "Closed" }),
  },
});
