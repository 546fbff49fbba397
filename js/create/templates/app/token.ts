/** Prints a token for the page, for an hour. Its secret is the variable SILLOK_SECRET of `.dev.vars`. */

import { createHmac } from "node:crypto";

const secret = process.env.SILLOK_SECRET;
if (!secret) throw new Error("write SILLOK_SECRET=… into .dev.vars: 32 random bytes or more");

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const exp = Math.floor(Date.now() / 1000) + 3600;
const content = `${part({ alg: "HS256", typ: "JWT" })}.${part({ scope: "read execute", exp })}`;
console.log(`${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`);
