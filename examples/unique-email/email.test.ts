/** The rules of claims and of users, tested without a server: `node --test`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { given, laws } from "sillok/testing";
import { email, emailId } from "./email.ts";
import { user } from "./user.ts";

const claim = (user: string) => ({ type: "Claim", data: { user } }) as const;
const claimed = (user: string) => ({ type: "Claimed", data: { user } }) as const;
const release = (user: string) => ({ type: "Release", data: { user } }) as const;
const released = (user: string) => ({ type: "Released", data: { user } }) as const;
const setEmail = (email: string) => ({ type: "SetEmail", data: { email } }) as const;
const emailSet = (email: string) => ({ type: "EmailSet", data: { email } }) as const;

test("an address is claimed by one user", () => {
  given(email).when(claim("ada")).then(claimed("ada"));
  given(email, [claimed("ada")])
    .when(claim("ada"))
    .thenNothing();
  given(email, [claimed("ada")])
    .when(claim("alan"))
    .thenRejected("email_taken");
});

test("only its user releases an address", () => {
  given(email, [claimed("ada")])
    .when(release("ada"))
    .then(released("ada"));
  given(email, [claimed("ada")])
    .when(release("alan"))
    .thenNothing();
  given(email, [claimed("ada"), released("ada")])
    .when(claim("alan"))
    .then(claimed("alan"));
});

test("a user sets addresses until it is closed", () => {
  const history = [emailSet("ada@example.com"), emailSet("lovelace@example.com")];
  given(user, history).when(setEmail("lovelace@example.com")).thenNothing();
  const emails = ["ada@example.com", "lovelace@example.com"];
  const back = { email: emails[0]!, emails, isClosed: false };
  given(user, history).when(setEmail("ada@example.com")).thenState(back);
  given(user, history).when({ type: "Close" }).thenState({ email: null, emails, isClosed: true });
  const closed = [...history, { type: "Closed" } as const];
  given(user, closed).when(setEmail("ada@example.com")).thenRejected("user_closed");
  given(user).when(setEmail("nobody")).thenFails("invalid_command");
});

test("both aggregates obey the laws", () => {
  laws(email, [[claimed("ada"), released("ada"), claimed("alan")]], [claim("ada"), release("ada")]);
  const commands = [setEmail("ada@example.com"), { type: "Close" } as const];
  laws(user, [[emailSet("ada@example.com"), { type: "Closed" }]], commands);
});

test("the id of an address ignores case and surrounding space", async () => {
  assert.equal(await emailId(" Ada@Example.com "), await emailId("ada@example.com"));
  assert.match(await emailId("ada@example.com"), /^[0-9a-f]{64}$/);
});
