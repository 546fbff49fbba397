/** A receiver checks the messages of a webhook with `verifyWebhook`. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { isSillokError, verifyWebhook } from "sillok";
import * as client from "sillok/client";
import { Webhook } from "standardwebhooks";

import { useApi } from "../support/api.ts";
import { type Received, useReceiver } from "../support/receiver.ts";

const api = useApi();
const receiver = useReceiver();

const SECRET = `whsec_${btoa("a secret of thirty-two bytes, ok")}`;
const OTHER = `whsec_${btoa("another secret of 32 bytes, also")}`;

/** The request of a message, as a Worker gets it. */
function requestOf(body: string, headers: Record<string, string>): Request {
  return new Request("https://shop.example/hook", { method: "POST", headers, body });
}

/** A message that npm's `standardwebhooks` signs. `seconds` is how old it is. */
function signed(body: string, { secret = SECRET, seconds = 0, id = "m-1" } = {}) {
  const time = new Date(Date.now() - 1000 * seconds);
  return {
    "webhook-id": id,
    "webhook-timestamp": `${Math.floor(time.getTime() / 1000)}`,
    "webhook-signature": new Webhook(secret).sign(id, time, body),
  };
}

/** The code and the field of the refusal. */
async function refusal(verified: Promise<unknown>): Promise<[string, string | undefined]> {
  const error = await verified.then(
    () => assert.fail("it was verified"),
    (thrown) => thrown,
  );
  assert.ok(isSillokError(error), String(error));
  return [error.code, error.field];
}

async function delivered(stream: string, count: number): Promise<Received[]> {
  const mine = ({ event }: Received) => event.subject === stream;
  await receiver.until(({ taken }) => taken.filter(mine).length === count);
  return receiver.taken.filter(mine);
}

test("real messages are verified, and their events are those of the stream", async () => {
  const category = "verified, 100%";
  const stream = `${category}-1 /ä?`;
  const body = JSON.stringify({ kind: "webhook", url: receiver.url, category, secret: SECRET });
  const put = await api.request("/v1/consumers/verified", { method: "PUT", body });
  assert.equal(put.status, 200, put.text);
  const metadata = { correlationId: "c-1", user: "ada" };
  await api.appended(stream, [
    { type: "Placed", data: { total: 1e21 }, metadata },
    { type: "Paid", data: null },
  ]);
  const { events } = (await api.read(stream)).json;
  const messages = await delivered(stream, 2);
  for (const [place, message] of messages.entries()) {
    for (const verify of [verifyWebhook, client.verifyWebhook]) {
      const { id, event } = await verify(requestOf(message.body, message.headers), SECRET);
      assert.equal(id, message.headers["webhook-id"]);
      const { position, ...rest } = event;
      assert.ok(position >= 1);
      const { type, data, version, id: eventId, time } = events[place];
      const ids = place === 0 ? { correlationId: "c-1" } : {};
      assert.deepEqual(rest, { stream, version, id: eventId, type, time, data, metadata: ids });
    }
    const asked = () => requestOf(message.body, message.headers);
    await verifyWebhook(asked(), [OTHER, SECRET], { tolerance: 60 });
    assert.deepEqual(await refusal(verifyWebhook(asked(), OTHER)), [
      "invalid_signature",
      "webhook-signature",
    ]);
    const altered = requestOf(message.body.replace("1.0", "1.1"), message.headers);
    assert.deepEqual(await refusal(verifyWebhook(altered, SECRET)), [
      "invalid_signature",
      "webhook-signature",
    ]);
  }
});

test("a forged, an old and an incomplete message are refused", async () => {
  const body = "{}";
  const headers = signed(body);
  const { "webhook-signature": signature } = headers;
  const wrong: [Record<string, string>, string][] = [
    [{ ...headers, "webhook-id": "m-2" }, "webhook-signature"],
    [
      { ...headers, "webhook-timestamp": `${Number(headers["webhook-timestamp"]) + 1}` },
      "webhook-signature",
    ],
    [{ ...headers, "webhook-signature": signature.replace("v1,", "v1a,") }, "webhook-signature"],
    [{ ...headers, "webhook-signature": "v1,%" }, "webhook-signature"],
    [{ ...headers, "webhook-signature": `${signature.slice(0, -4)}AAA=` }, "webhook-signature"],
    [{ ...headers, "webhook-timestamp": "now" }, "webhook-timestamp"],
    [{ ...headers, "webhook-timestamp": "1e9" }, "webhook-timestamp"],
    [signed(body, { seconds: 302 }), "webhook-timestamp"],
    [signed(body, { seconds: -302 }), "webhook-timestamp"],
    ...Object.keys(headers).map((name): [Record<string, string>, string] => [
      { ...headers, [name]: "" },
      name,
    ]),
  ];
  for (const [given, field] of wrong) {
    const refused = await refusal(verifyWebhook(requestOf(body, given), SECRET));
    assert.deepEqual(refused, ["invalid_signature", field], JSON.stringify(given));
  }
});

test("one of several signatures is enough, and a signed message without an event has an error of its own", async () => {
  for (const body of [
    "{}",
    "[]",
    "null",
    "no JSON",
    '{"source":"/v1/streams/%"}',
    '{"source":"/v1/streams/a"}',
  ]) {
    const { "webhook-signature": signature, ...rest } = signed(body, { seconds: 290 });
    const headers = { ...rest, "webhook-signature": `v2,eA== v1,eA== ${signature}` };
    const refused = await refusal(verifyWebhook(requestOf(body, headers), SECRET));
    assert.deepEqual(refused, ["invalid_event", "body"], body);
  }
});

test("a wrong secret or option is refused before the message is read", async () => {
  const request = requestOf("{}", {});
  for (const secret of ["", "whsec_", "whsec_a", SECRET.slice(6), undefined, [], [SECRET, ""]]) {
    const refused = await refusal(verifyWebhook(request, secret as string));
    assert.deepEqual(refused, ["invalid_parameter", "secret"], String(secret));
  }
  for (const tolerance of [0, -1, 86_401, NaN, "x"]) {
    const refused = await refusal(verifyWebhook(request, SECRET, { tolerance } as object));
    assert.deepEqual(refused, ["invalid_parameter", "tolerance"], String(tolerance));
  }
  const misspelt = await refusal(verifyWebhook(request, SECRET, { tolerence: 5 } as object));
  assert.deepEqual(misspelt, ["invalid_parameter", "tolerence"]);
  assert.equal(request.bodyUsed, false);
});
