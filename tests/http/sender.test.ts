/** The sender of webhooks: an abort ends one request, and no other request of the same id. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { useReceiver } from "../support/receiver.ts";
import { Sender } from "../../worker/webhook.ts";

const receiver = useReceiver();

/** Sends a delivery that the receiver does not answer, and returns its end once the receiver has it. */
async function sent(sender: Sender): Promise<{ end: Promise<string> }> {
  const before = receiver.received.length;
  const end = sender.post(receiver.url, "agent", "one-id", "0", "signature", "{}");
  const outcome = end.catch(() => "aborted");
  await receiver.until(() => receiver.received.length > before);
  return { end: outcome };
}

test("webhooks and tenants may have the same ids", async () => {
  receiver.answer = () => "hang";
  const [mine, other] = [new Sender(), new Sender()];
  const [{ end }, others] = [await sent(mine), await sent(other)];
  other.abort("one-id");
  assert.equal(await others.end, "aborted");
  const first = await Promise.race([end, new Promise((resolve) => setImmediate(resolve, "open"))]);
  assert.equal(first, "open");
  mine.abort("one-id");
  assert.equal(await end, "aborted");
});

test("an attempt that ends late leaves the next attempt to be aborted", async () => {
  receiver.answer = () => "hang";
  const sender = new Sender();
  const first = await sent(sender);
  sender.abort("one-id");
  const second = await sent(sender);
  await first.end;
  sender.abort("one-id");
  assert.equal(await second.end, "aborted");
});
