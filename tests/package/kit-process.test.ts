// The tests of timers and processes in `sillok/testing`: what must fail, and whether the message names it.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { CommandContext } from "sillok";

import type { Sillok } from "./behaviour.ts";
import { useScratch } from "./scratch.ts";
import { shows } from "./shows.ts";

const scratch = useScratch();
const DAY = 86_400_000;

type Requested = { type: "Requested"; data: { from: string; cents: number } };
type Event = Requested | { type: "Debited" } | { type: "Failed"; data: { why: string } };
type Command =
  { type: "Request"; data: { from: string; cents: number } } | { type: "Lapse"; data?: null };
interface State {
  status: string;
  from: string;
}
type Moved = { type: "Deposited"; data: { cents: number } };
type Move = { type: "Deposit" | "Withdraw"; data: { cents: number } };

const requested = { type: "Requested", data: { from: "a", cents: 5 } } as const;
const failed = (why: string) => ({ type: "Failed", data: { why } }) as const;
const request = { type: "Request", data: { from: "a", cents: 5 } } as const;
const withdraw = { type: "Withdraw", data: { cents: 5 } } as const;

/** A transfer that lapses after a day. `planted` takes the place of its parts. */
function defined(
  { aggregate, cancel, process, schedule, send }: Sillok,
  planted: Record<string, unknown> = {},
) {
  const account = aggregate<Moved, Move, number>("account", {
    initialState: () => 0,
    decide: ({ data }) => ({ type: "Deposited", data }),
    evolve: (cents, { data }) => cents + data.cents,
  });
  const transfer = process<Event, Command, State>("transfer", {
    initialState: () => ({ status: "new", from: "" }),
    evolve: (state, { type, data }) => ({
      status: type,
      from: type === "Requested" ? data.from : state.from,
    }),
    decide(command, _, { now }) {
      if (command.type === "Lapse") return failed("lapsed");
      const { from, cents } = command.data;
      return [
        { type: "Requested", data: { from, cents } },
        schedule("lapse", now + DAY, { type: "Lapse" }),
        send("debit", account, from, { type: "Withdraw", data: { cents } }),
      ];
    },
    sources: [account],
    starts: {
      Deposited: ({ data: { cents } }) => (cents > 100 ? `large-${cents}` : undefined),
    },
    on: {
      Deposited: ({ stream }, _, context) => ({
        type: "Requested",
        data: { from: `${stream} to ${context.stream}`, cents: 1 },
      }),
    },
    answered: {
      debit: (answer) =>
        answer.accepted
          ? [{ type: "Debited" }, cancel("lapse")]
          : [failed(answer.rejection.code), cancel("lapse")],
    },
    ended: ({ status }) => status === "Debited" || status === "Failed",
    ...planted,
  });
  return { account, transfer };
}

async function kit(planted: Record<string, unknown> = {}) {
  return { ...defined(await scratch.sillok(), planted), ...(await scratch.testing()) };
}

test("an expectation of a process that holds says nothing", async () => {
  const { transfer, given, event, answer } = await kit();
  given(transfer)
    .when(request, { now: 5 })
    .then(requested)
    .thenScheduled("lapse", 5 + DAY, { type: "Lapse" })
    .thenScheduled("lapse", new Date(5 + DAY), { type: "Lapse", data: null })
    .thenScheduled([{ key: "lapse", at: 5 + DAY, command: { type: "Lapse" } }])
    .thenCancelled([])
    .thenSent("debit", "account-a", withdraw)
    .thenSent([{ name: "debit", stream: "account-a", command: withdraw }])
    .thenState({ status: "Requested", from: "a" });
  const open = given(transfer, [requested]);
  open
    .when(answer("debit", { accepted: true }))
    .then({ type: "Debited" })
    .thenCancelled("lapse")
    .thenCancelled(["lapse"])
    .thenScheduled([])
    .thenSent([])
    .thenEnded();
  const refused = answer("debit", { accepted: false, rejection: { code: "insufficient_funds" } });
  open.when(refused).then(failed("insufficient_funds")).thenEnded();
  open.when({ type: "Lapse" }).then(failed("lapsed")).thenEnded();
  const large = event("account-9", { type: "Deposited", data: { cents: 500 } });
  const data = { from: "account-9 to transfer-large-500", cents: 1 };
  given(transfer).when(large).then({ type: "Requested", data });
  const small = event("account-9", { type: "Deposited", data: { cents: 5 } });
  given(transfer).when(small).thenNothing();
  const elsewhere = event("order-1", { type: "Deposited", data: { cents: 500 } });
  given(transfer).when(elsewhere).thenNothing();
});

test("after its end, a process does nothing and rejects commands", async () => {
  const { transfer, given, event, answer } = await kit();
  const over = given(transfer, [requested, failed("x")]);
  over.when({ type: "Lapse" }).thenRejected("process_ended");
  const large = event("account-1", { type: "Deposited", data: { cents: 500 } });
  for (const input of [answer("debit", { accepted: true }), large]) {
    over.when(input).thenNothing();
    over.when(input).thenEnded();
  }
  const small = event("account-1", { type: "Deposited", data: { cents: 5 } });
  for (const input of [large, small]) {
    const open = given(transfer).when(input);
    shows(() => open.thenEnded(), /`ended`/, "- ended: true,", "+ ended: false,");
  }
});

test("a planted mistake fails with the difference", async () => {
  const { transfer, given, answer } = await kit();
  const asked = given(transfer).when(request, { now: 5 });
  const lapse = { type: "Lapse" } as const;
  shows(
    () => asked.thenScheduled("lapse", 5, lapse),
    /decision differs .* `scheduled\[0\]\.at`/,
    "- at: 5,",
    `+ at: ${5 + DAY},`,
  );
  shows(
    () => asked.thenScheduled("other", 5 + DAY, lapse),
    /`scheduled\[0\]\.key`/,
    '- key: "other",',
  );
  shows(() => asked.thenScheduled("lapse", 5 + DAY, request), /`scheduled\[0\]\.command/);
  shows(() => asked.thenScheduled([]), /`scheduled/, `+ at: ${5 + DAY},`);
  shows(() => asked.thenCancelled("lapse"), /`cancelled\[0\]/, '- "lapse",', "+ cancelled: [],");
  shows(() => asked.thenSent([]), /`sent/, '+ name: "debit",');
  const other = { type: "Withdraw", data: { cents: 6 } };
  shows(
    () => asked.thenSent("debit", "account-a", other),
    /`sent\[0\]\.command\.data\.cents`/,
    "- cents: 6,",
    "+ cents: 5,",
  );
  shows(() => asked.thenSent("debit", "account-b", withdraw), /`sent\[0\]\.stream`/);
  shows(() => asked.thenSent("credit", "account-a", withdraw), /`sent\[0\]\.name`/);
  shows(() => asked.thenEnded(), /`ended`/, "- ended: true,", "+ ended: false,");
  shows(() => asked.thenNothing(), /decision differs/, '+ name: "debit",', '+ key: "lapse",');
  const none = given(transfer, [requested]).when(answer("debit", { accepted: true }));
  shows(() => none.thenScheduled("lapse", 5, lapse), /`scheduled\[0\]`/, "+ scheduled: [],");
  shows(() => none.thenSent("debit", "account-a", withdraw), /`sent\[0\]`/, "+ sent: [],");
  const ended = given(transfer, [requested, failed("x")]).when(lapse);
  shows(() => ended.thenScheduled("lapse", 5, lapse), /differs/, '+ code: "process_ended",');
  shows(() => ended.thenEnded(), /differs/, '+ code: "process_ended",');
  const broken = await kit({ answered: { debit: () => assert.fail("boom") } });
  const failing = broken
    .given(broken.transfer, [requested])
    .when(answer("debit", { accepted: true }));
  failing.thenFails("decider_failed");
  shows(() => failing.thenCancelled("lapse"), /differs/, '+ code: "decider_failed",');
});

test("a part too many fails with both", async () => {
  const { schedule, cancel, send } = await scratch.sillok();
  const { account } = await kit();
  const { transfer, given } = await kit({
    decide: () => [
      schedule("lapse", 1, { type: "Lapse" }),
      schedule("remind", 2, { type: "Lapse" }),
      cancel("a"),
      schedule("b", 3, { type: "Lapse" }),
      cancel("b"),
      send("debit", account, "a", withdraw),
      send("debit", account, "b", withdraw),
    ],
  });
  const lapse = { type: "Lapse" } as const;
  const asked = given(transfer).when(request);
  asked
    .thenScheduled([
      { key: "lapse", at: 1, command: lapse },
      { key: "remind", at: new Date(2), command: lapse },
    ])
    .thenCancelled(["a", "b"])
    .thenSent([
      { name: "debit", stream: "account-a", command: withdraw },
      { name: "debit", stream: "account-b", command: withdraw },
    ]);
  shows(
    () => asked.thenScheduled("lapse", 1, lapse),
    /`scheduled\[1\]`/,
    'key: "lapse",',
    '+ key: "remind",',
  );
  shows(() => asked.thenCancelled("a"), /`cancelled\[1\]`/, '"a",', '+ "b",');
  shows(
    () => asked.thenSent("debit", "account-a", withdraw),
    /`sent\[1\]`/,
    'stream: "account-a",',
    '+ stream: "account-b",',
  );
});

test("a name without a function in `answered` is refused", async () => {
  const { send } = await scratch.sillok();
  const { account } = await kit();
  const { transfer, given, answer, laws } = await kit({
    decide: () => [requested, send("credit", account, "a", withdraw)],
  });
  given(transfer).when(request).thenFails("decider_failed");
  shows(() => given(transfer).when(request).thenNothing(), /differs/, '+ field: "sent[0].name",');
  const unknown = answer("credit", { accepted: true });
  const refused = {
    code: "invalid_parameter",
    message: /no function in `answered` for the name "credit"/,
  };
  assert.throws(() => given(transfer, [requested]).when(unknown), { ...refused, field: "command" });
  assert.throws(() => laws(transfer, [[requested]], [unknown]), refused);
});

test("the context tells the command of a timer from that of a caller", async () => {
  const { reject } = await scratch.sillok();
  const seen: unknown[] = [];
  const { transfer, given } = await kit({
    decide(_: Command, __: State, { timer }: CommandContext) {
      seen.push(timer);
      return timer?.key === "lapse" ? failed(String(timer.due)) : reject("only_by_timer");
    },
  });
  const open = given(transfer, [requested]);
  const timer = { key: "lapse", due: 7 };
  open.when({ type: "Lapse" }, { now: 9, timer }).then(failed("7")).thenEnded();
  open
    .when({ type: "Lapse" }, { timer: { ...timer, key: "other" } })
    .thenRejected("only_by_timer" as never);
  open.when({ type: "Lapse" }).thenRejected("only_by_timer" as never);
  assert.deepEqual(seen.at(-1), undefined);
});

test("impure functions of a process fail in its tests and under the laws", async () => {
  const { event, answer } = await kit();
  const large = event("account-9", { type: "Deposited", data: { cents: 500 } });
  const accepted = answer("debit", { accepted: true });
  const pushing = (_: unknown, state: { from: string }) => {
    state.from = "changed";
    return [];
  };
  const planted: [Record<string, unknown>, unknown, RegExp][] = [
    [
      { on: { Deposited: pushing } },
      large,
      /`on\.Deposited` of the process transfer changes `state\.from`/,
    ],
    [{ answered: { debit: pushing } }, accepted, /`answered\.debit` of .* changes `state\.from`/],
    [
      { answered: { debit: () => failed(String(Date.now())) } },
      accepted,
      /`answered\.debit` of the process transfer calls Date\.now\(\)/,
    ],
    [
      { on: { Deposited: () => failed(String(Math.random())) } },
      large,
      /`on\.Deposited` of the process transfer calls Math\.random\(\)/,
    ],
    [{ ended: () => Date.now() < 0 }, accepted, /`ended` of the process transfer calls Date\.now/],
  ];
  for (const [parts, input, headline] of planted) {
    const { transfer, given, laws } = await kit(parts);
    shows(
      () =>
        given(transfer, [requested])
          .when(input as never)
          .thenNothing(),
      headline,
    );
    const place = new RegExp(`^history 0, version 0, commands\\[0\\]: ${headline.source}`);
    shows(() => laws(transfer, [[requested]], [input as never]), place);
  }
});

test("a lawful process passes", async () => {
  const { transfer, laws, event, answer } = await kit();
  const inputs = [
    request,
    { type: "Lapse" },
    event("account-9", { type: "Deposited", data: { cents: 500 } }),
    answer("debit", { accepted: true, stream: "account-a", version: 7 }),
    answer("debit", { accepted: false, rejection: { code: "no", data: [1] } }),
  ] as const;
  laws(transfer, [[], [requested], [requested, failed("x")]], inputs);
});

test("an input of another kind is refused", async () => {
  const { transfer, given, event, answer } = await kit();
  const { aggregate } = await scratch.sillok();
  const rules = { initialState: () => 0, decide: () => [], evolve: () => 0 };
  const plain = given(aggregate("plain", rules));
  for (const input of [answer("debit", { accepted: true }), event("a-1", { type: "A" })]) {
    assert.throws(() => plain.when(input as never), {
      code: "invalid_parameter",
      field: "command",
    });
  }
  assert.throws(() => event(5 as never, { type: "A" }), { code: "invalid_parameter" });
  const undeclared = event("account-1", { type: "Deposited", data: { cents: NaN } });
  shows(() => given(transfer).when(undeclared), /JSON changes command/);
});
