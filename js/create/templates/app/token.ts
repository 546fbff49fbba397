/** Prints a token for the page, for an hour. Its secret is the variable SILLOK_SECRET of `.dev.vars`. */

import { mintToken } from "sillok";

const secret = process.env.SILLOK_SECRET;
if (!secret) throw new Error("write SILLOK_SECRET=… into .dev.vars: 32 random bytes or more");

console.log(await mintToken({ secret, scopes: ["read", "execute"] }));
