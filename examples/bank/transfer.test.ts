/** The rules of a transfer, tested without a server: `node --test`. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { answer, given, laws } from "sillok/testing";
import { LAPSE, transfer } from "./transfer.ts";

const order = { from: "account-a", to: "account-b", cents: 100 };
const request = { type: "Request", data: order } as const;
const lapse = { type: "Lapse", data: null } as const;
const withdraw = { type: "Withdraw", data: { cents: 100 } };
const deposit = { type: "Deposit", data: { cents: 100 } };

const requested = { type: "Requested", data: order } as const;
const lapsed = { type: "Lapsed", data: null } as const;
const debited = { type: "Debited", data: null } as const;
const failed = { type: "Failed", data: { reason: "insufficient_funds" } } as const;
const completed = { type: "Completed", data: null } as const;
const creditRefused = { type: "CreditRefused", data: { reason: "not_open" } } as const;
const refundRefused = { type: "RefundRefused", data: { reason: "stream_deleted" } } as const;
const refunded = { type: "Refunded", data: null } as const;

const accepted = { accepted: true } as const;
const refused = (code: string) => ({ accepted: false, rejection: { code } }) as const;

test("a request debits the sender first, and sets a timer", () => {
  given(transfer)
    .when(request, { now: 5 })
    .then(requested)
    .thenSent("debit", "account-a", withdraw)
    .thenScheduled("lapse", 5 + LAPSE, lapse);
});

test("a request is taken once", () => {
  given(transfer, [requested]).when(request).thenNothing();
  const other = { type: "Request", data: { ...order, cents: 7 } } as const;
  given(transfer, [requested]).when(other).thenRejected("already_requested");
  given(transfer, [requested, failed]).when(request).thenRejected("process_ended");
});

test("a request names two accounts", () => {
  for (const to of ["b", "account-", "transfer-1", "account-a b", `account-${"x".repeat(101)}`]) {
    const wrong = { type: "Request", data: { ...order, to } } as const;
    given(transfer).when(wrong).thenFails("invalid_command");
  }
});

test("after the debit, the receiver gets the money", () => {
  given(transfer, [requested])
    .when(answer("debit", accepted))
    .then(debited)
    .thenCancelled("lapse")
    .thenSent("credit", "account-b", deposit);
  given(transfer, [requested, debited])
    .when(answer("credit", accepted))
    .then(completed)
    .thenState({ status: "completed", order, reason: null })
    .thenEnded();
});

test("a refused debit fails the transfer", () => {
  given(transfer, [requested])
    .when(answer("debit", refused("insufficient_funds")))
    .then(failed)
    .thenState({ status: "failed", order, reason: "insufficient_funds" })
    .thenEnded();
});

test("if the receiver is missing, the sender gets the money back", () => {
  given(transfer, [requested, debited])
    .when(answer("credit", refused("not_open")))
    .then(creditRefused)
    .thenState({ status: "refunding", order, reason: "not_open" })
    .thenSent("refund", "account-a", deposit);
  given(transfer, [requested, debited, creditRefused])
    .when(answer("refund", accepted))
    .then(refunded)
    .thenState({ status: "refunded", order, reason: "not_open" })
    .thenEnded();
});

test("a lapsed transfer waits for the answer of the debit, and gives the money back", () => {
  given(transfer, [requested])
    .when(lapse)
    .then(lapsed)
    .thenState({ status: "lapsed", order, reason: "lapsed" });
  given(transfer, [requested, lapsed])
    .when(answer("debit", accepted))
    .then(debited)
    .thenState({ status: "refunding", order, reason: "lapsed" })
    .thenSent("refund", "account-a", deposit);
  given(transfer, [requested, lapsed, debited])
    .when(answer("refund", accepted))
    .thenState({ status: "refunded", order, reason: "lapsed" })
    .thenEnded();
  given(transfer, [requested, lapsed])
    .when(answer("debit", refused("insufficient_funds")))
    .thenState({ status: "failed", order, reason: "insufficient_funds" })
    .thenEnded();
});

test("only a transfer that waits for the debit lapses", () => {
  for (const history of [[], [requested, lapsed], [requested, debited]]) {
    given(transfer, history).when(lapse).thenNothing();
  }
});

test("a transfer whose refund is refused holds the money until somebody names another account", () => {
  const redirect = { type: "Redirect", data: { to: "account-c" } } as const;
  const redirected = { type: "Redirected", data: redirect.data } as const;
  given(transfer, [requested, debited, creditRefused])
    .when(answer("refund", refused("stream_deleted")))
    .then(refundRefused)
    .thenState({ status: "held", order, reason: "stream_deleted" });
  given(transfer, [requested, debited, creditRefused, refundRefused])
    .when(redirect)
    .then(redirected)
    .thenSent("refund", "account-c", deposit);
  given(transfer, [requested, debited, creditRefused, refundRefused, redirected])
    .when(answer("refund", accepted))
    .then(refunded)
    .thenEnded();
  given(transfer, [requested, debited]).when(redirect).thenRejected("not_held");
});

test("the process obeys the laws", () => {
  const inputs = [
    request,
    lapse,
    ...(["debit", "credit"] as const).flatMap((name) => [
      answer(name, accepted),
      answer(name, refused("not_open")),
    ]),
    answer("refund", accepted),
  ];
  laws(
    transfer,
    [
      [requested, debited, completed],
      [requested, failed],
      [requested, debited, creditRefused, refunded],
      [requested, debited, creditRefused, refundRefused],
      [requested, lapsed, debited, refunded],
    ],
    inputs,
  );
});

/** The decisions on which the bank in Rust agrees: its tests read the same file. `now` is 5. */
const cases: any[] = JSON.parse(
  readFileSync(new URL("transfer-cases.json", import.meta.url), "utf8"),
);

for (const { name, history, command, answer: answered, ...expected } of cases) {
  test(`in TypeScript and in Rust: ${name}`, () => {
    const input = answered === undefined ? command : answer(answered.name, withoutName(answered));
    const decided = given(transfer, history).when(input, { now: 5 });
    decided.then(expected.events).thenState(expected.state);
    const isSet = ({ command }: any) => command !== undefined;
    decided
      .thenScheduled(expected.timers.filter(isSet))
      .thenCancelled(
        expected.timers.filter((timer: any) => !isSet(timer)).map(({ key }: any) => key),
      )
      .thenSent(expected.sent);
    if (expected.ended) decided.thenEnded();
    else assert.throws(() => decided.thenEnded(), /the decision differs/);
  });
}

const withoutName = ({ name: _, ...answer }: any) => answer;
