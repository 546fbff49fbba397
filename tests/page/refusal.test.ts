// Tests of the page when the Worker refuses a request, or does not answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, appendBy, freshStream, shownEvents, useConsole } from "./browser.ts";

const sillok = useConsole();

test("a wrong expected version shows both versions and a remedy that works", async (t) => {
  const stream = freshStream();
  await sillok.append(stream, [{ type: "Opened" }]);
  const page = await sillok.open(t, addressOf(stream));
  await page.getByRole("heading", { name: "Opened" }).waitFor();
  await sillok.append(stream, [{ type: "Theirs" }, { type: "TheirsToo" }]);

  await page.getByLabel("Expected version").selectOption("exactly");
  await appendBy(page, "Mine", "1");
  const problem = page.locator("#expected-problem [role=alert]");
  await problem.getByText("412 wrong_expected_version").waitFor();
  assert.deepEqual(await problem.locator(".facts div").allInnerTexts(), ["expected 1", "actual 3"]);
  assert.equal(await page.locator("#exact").getAttribute("aria-invalid"), "true");
  await page.getByRole("heading", { name: "TheirsToo" }).waitFor();
  assert.equal((await shownEvents(page)).length, 3, "nothing was written");

  await page.getByRole("button", { name: "Use version 3" }).click();
  assert.equal(await problem.count(), 0);
  await page.getByRole("button", { name: "Append" }).click();
  await page.getByText("The store appended the event as version 4.").waitFor();
});

test("the page shows a remedy if a stream is missing, and if it exists already", async (t) => {
  const stream = freshStream();
  const page = await sillok.open(t, addressOf(stream));
  await page.getByLabel("Expected version").selectOption("stream-exists");
  await appendBy(page, "Used", "1");
  await page.getByRole("button", { name: "Use “no stream yet”" }).click();
  assert.equal(await page.getByLabel("Expected version").inputValue(), "no-stream");
  await page.getByRole("button", { name: "Append" }).click();
  await page.getByText("The store appended the event as version 1.").waitFor();
  await page.getByRole("button", { name: "Append" }).click();
  await page.getByRole("button", { name: "Use version 1" }).waitFor();
});

for (const typed of ['{"amount": }', '1,"id":"smuggled"', "{", '"one" "two"']) {
  test(`the Worker refuses malformed data: ${typed}`, async (t) => {
    const page = await sillok.open(t, addressOf(freshStream()));
    await page.getByText("This stream has no events yet.").waitFor();
    const request = page.waitForRequest((sent) => sent.method() === "POST");
    await appendBy(page, "Deposited", typed);
    assert.ok((await request).postData()?.includes(typed), "sent as typed");
    await page.locator("#data-problem [role=alert]").getByText("400 malformed_json").waitFor();
    assert.equal(await page.getByLabel("Data").getAttribute("aria-invalid"), "true");
    assert.equal(await page.getByLabel("Data").inputValue(), typed, "what was typed stays");
    assert.ok(await page.getByLabel("Data").evaluate((field) => field.matches(":focus")));
    const read = page.waitForResponse((response) => response.request().method() === "GET");
    await page.getByRole("button", { name: "Refresh" }).click();
    await read;
    await page.locator("#record[aria-busy=false]").waitFor();
    assert.deepEqual(await shownEvents(page), []);
  });
}

test("the page shows the line and column of malformed data in the field", async (t) => {
  const page = await sillok.open(t, addressOf(freshStream()));
  await appendBy(page, "Deposited", '{\n  "amount": 1,\n  "note": oops\n}');
  const problem = page.locator("#data-problem [role=alert]");
  await problem.getByText("The data begins on line 2 of the request.").waitFor();
  await problem.getByText("line 4, column 11").waitFor();
});

test("the page shows a refusal at the field that it names", async (t) => {
  const page = await sillok.open(t, addressOf(freshStream()));
  await appendBy(page, "", "1");
  await page.locator("#type-problem [role=alert]").getByText("400 invalid_event_type").waitFor();
  assert.equal(await page.getByLabel("Type").getAttribute("aria-invalid"), "true");

  await page.getByLabel("Expected version").selectOption("exactly");
  await page.getByLabel("Exactly this version").fill("three");
  await appendBy(page, "Deposited", "1");
  const problem = page.locator("#expected-problem [role=alert]");
  await problem.getByText("400 invalid_expected_version").waitFor();
  assert.equal(await page.getByLabel("Type").getAttribute("aria-invalid"), null);

  await page.getByLabel("Exactly this version").fill("三");
  await page.getByRole("button", { name: "Append" }).click();
  await problem.getByText("The browser cannot send this").waitFor();
});

test("the page shows the refusal of a stream's name in place of the events", async (t) => {
  const page = await sillok.open(t, addressOf("x".repeat(201)));
  await page.locator("#record-problem [role=alert]").getByText("invalid_stream_id").waitFor();
  const name = page.getByLabel("Stream", { exact: true });
  assert.equal(await name.getAttribute("aria-invalid"), "true");
});

test("the page reports that no answer came, and a retry works", async (t) => {
  const stream = freshStream();
  await sillok.append(stream, [{ type: "Opened" }]);
  const page = await sillok.open(t, "/");
  await page.route("**/v1/streams/**", (route) => route.abort());
  await page.getByLabel("Stream", { exact: true }).fill(stream);
  await page.getByRole("button", { name: "Open" }).click();
  const read = page.locator("#record-problem [role=alert]");
  await read.getByText("The store did not answer").waitFor();
  await appendBy(page, "Deposited", "1");
  const sent = page.locator("#append-problem [role=alert]");
  await sent.getByText("The store may have written the event").waitFor();

  await page.unroute("**/v1/streams/**");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "Opened" }).waitFor();
  assert.equal(await read.count(), 0);
});

test("the page shows an answer that does not come from Sillok", async (t) => {
  const page = await sillok.open(t, "/");
  for (const status of [200, 502]) {
    const body = "<h1>Bad gateway</h1>";
    await page.route("**/v1/streams/**", (route) =>
      route.fulfill({ status, body, contentType: "text/html" }),
    );
    await page.getByLabel("Stream", { exact: true }).fill(freshStream());
    await page.getByRole("button", { name: "Open" }).click();
    const problem = page.locator("#record-problem [role=alert]");
    await problem.getByText(`Status: ${status}. Content type: text/html.`).waitFor();
    assert.equal(await problem.locator("pre").textContent(), body);
  }
});

test("the events are marked as busy until the answer comes", async (t) => {
  const stream = freshStream();
  const page = await sillok.open(t, "/");
  const gate = Promise.withResolvers<void>();
  await page.route("**/v1/streams/**", async (route) => {
    await gate.promise;
    await route.continue();
  });
  await page.getByLabel("Stream", { exact: true }).fill(stream);
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByText("Reading the events …").waitFor();
  assert.equal(await page.locator("#record").getAttribute("aria-busy"), "true");
  gate.resolve();
  await page.getByText("This stream has no events yet.").waitFor();
  assert.equal(await page.locator("#record").getAttribute("aria-busy"), "false");
});
