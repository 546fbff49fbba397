// Tests that append to a stream and read its events.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, appendBy, freshStream, shownEvents, useConsole } from "./browser.ts";

const sillok = useConsole();

test("the page shows an appended event with its version, time and data", async (t) => {
  const page = await sillok.open(t, addressOf(freshStream()));
  await page.getByText("This stream has no events yet.").waitFor();

  const before = Date.now();
  await appendBy(page, "Deposited", '{"amount":100}');
  await page.getByText("The store appended the event as version 1.").waitFor();
  await appendBy(page, "Withdrawn", '{"amount":30}');
  await page.getByText("The store appended the event as version 2.").waitFor();

  assert.deepEqual(await shownEvents(page), [
    { version: "2", type: "Withdrawn", data: '{ "amount": 30 }' },
    { version: "1", type: "Deposited", data: '{ "amount": 100 }' },
  ]);
  assert.equal(await page.locator("#record-version").textContent(), "version 2");
  const time = await page.locator(".event time").first().getAttribute("datetime");
  assert.match(time ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Math.abs(Date.parse(time ?? "") - before) < 60_000, `${time} is about now`);
});

test("the page shows numbers as they were written", async (t) => {
  const page = await sillok.open(t, addressOf(freshStream()));
  const data = '{ "numbers": [12345678901234567890, 1e400, 1.0] }';
  await appendBy(page, "Counted", data);
  await page.locator(".event").waitFor();
  assert.equal((await shownEvents(page))[0]?.data, data);
});

test("an empty data field means null, and the form has every expected version", async (t) => {
  const page = await sillok.open(t, addressOf(freshStream()));
  const expected = page.getByLabel("Expected version");
  await expected.selectOption("no-stream");
  await appendBy(page, "Opened", "");
  await page.getByText("The store appended the event as version 1.").waitFor();
  assert.equal((await shownEvents(page))[0]?.data, "null");

  await expected.selectOption("stream-exists");
  await appendBy(page, "Used", "1");
  await page.getByText("The store appended the event as version 2.").waitFor();

  await expected.selectOption("exactly");
  const exact = page.getByLabel("Exactly this version");
  assert.equal(await exact.inputValue(), "2", "the version last read is offered");
  await appendBy(page, "Closed", "2");
  await page.getByText("The store appended the event as version 3.").waitFor();
});

test("the address names the stream: a reload shows the same one, and back the previous one", async (t) => {
  const first = freshStream();
  const second = `${freshStream()} & ?#/ 실록`;
  await sillok.append(first, [{ type: "First" }]);
  await sillok.append(second, [{ type: "Second" }]);
  const page = await sillok.open(t, "/");
  await page.getByText("No stream is open.").waitFor();
  assert.equal(await page.locator("#append").isVisible(), false);

  const name = page.getByLabel("Stream", { exact: true });
  for (const [stream, type] of [
    [first, "First"],
    [second, "Second"],
  ] as const) {
    await name.fill(stream);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("heading", { name: type }).waitFor();
  }

  await page.reload();
  await page.getByRole("heading", { name: "Second" }).waitFor();
  assert.equal(await name.inputValue(), second);
  assert.equal(new URL(page.url()).searchParams.get("stream"), second);

  await page.goBack();
  await page.getByRole("heading", { name: "First" }).waitFor();
  assert.equal(await name.inputValue(), first);
});

test("older events follow page by page, without a gap, and the focus moves to them", async (t) => {
  const stream = freshStream();
  const count = 45;
  await sillok.append(
    stream,
    Array.from({ length: count }, (_, at) => ({ type: `Event${at + 1}` })),
  );
  const page = await sillok.open(t, addressOf(stream));
  const older = page.getByRole("button", { name: "Older events" });
  await older.click();
  await page.getByText("The page now shows 20 older events.").waitFor();
  const focused = page.locator(".event:focus h4");
  assert.equal(await focused.textContent(), "Event25");
  await older.click();
  await page.getByText("The page now shows 5 older events.").waitFor();
  assert.equal(await older.isVisible(), false);

  const versions = (await shownEvents(page)).map(({ version, type }) => `${version} ${type}`);
  const all = Array.from({ length: count }, (_, at) => `${count - at} Event${count - at}`);
  assert.deepEqual(versions, all);
});

test("refresh shows the events that others have appended", async (t) => {
  const stream = freshStream();
  await sillok.append(stream, [{ type: "Mine" }]);
  const page = await sillok.open(t, addressOf(stream));
  await page.getByRole("heading", { name: "Mine" }).waitFor();
  const refresh = page.getByRole("button", { name: "Refresh" });
  await refresh.click();
  await page.getByText("There are no new events.").waitFor();

  await sillok.append(stream, [{ type: "Theirs" }]);
  await refresh.click();
  await page.getByRole("heading", { name: "Theirs" }).waitFor();
  assert.equal(await page.locator("#record-version").textContent(), "version 2");
});

test("the page shows hostile text as text", async (t) => {
  const stream = `${freshStream()}<img src=x onerror=pwned=1>`;
  const type = '<img src=x onerror="pwned=1">';
  const data = '"</pre><script>pwned=1</script>"';
  const page = await sillok.open(t, addressOf(stream));
  await appendBy(page, type, data);
  await page.locator(".event").waitFor();
  assert.deepEqual(await shownEvents(page), [{ version: "1", type, data }]);
  assert.equal(await page.locator("#record img, #record script").count(), 0);
  assert.equal(await page.title(), `${stream} · Sillok`);
  assert.equal(await page.evaluate("typeof pwned"), "undefined");
});
