// Opens the page of a running Worker in Chromium.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, type TestContext } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type ServerOptions, startServer } from "../support/server.ts";

/** If the server does not start in this time, the tests fail. */
const STARTING = { timeout: 60_000 };
/** The longest wait of a test, in milliseconds. */
const PATIENCE = 30_000;

type Server = Awaited<ReturnType<typeof startServer>>;

export interface Console {
  /** Opens the page in a browser profile of its own, and closes the profile after the test. */
  open(t: TestContext, path: string, options?: BrowserContextOptions): Promise<Page>;
  /** Appends events without the page. */
  append(stream: string, events: unknown[]): Promise<void>;
  url(): URL;
}

/** Starts one Worker and one browser for the tests of a file. The default is the plain Worker. */
export function useConsole(
  vars?: Record<string, string>,
  options: Pick<ServerOptions, "config"> = {},
): Console {
  let server: Server;
  let browser: Browser;
  before(async () => {
    server = await startServer(vars === undefined ? options : { ...options, vars });
    browser = await chromium.launch({
      executablePath: process.env["CHROME"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-background-networking"],
    });
  }, STARTING);
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  return {
    async open(t, path, options = {}) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE);
      const wrong: string[] = [];
      page.on("pageerror", (error) => wrong.push(String(error)));
      page.on("console", (message) => {
        if (message.text().includes("Content Security Policy")) wrong.push(message.text());
      });
      page.on("request", (request) => {
        if (new URL(request.url()).origin !== server.url.origin) wrong.push(request.url());
      });
      t.after(async () => {
        await context.close();
        assert.deepEqual(wrong, [], "no uncaught error, no breach of the policy, no other origin");
      });
      await page.goto(new URL(path, server.url).href);
      return page;
    },
    async append(stream, events) {
      const url = new URL(`/v1/streams/${encodeURIComponent(stream)}/events`, server.url);
      const headers = { "Content-Type": "application/json" };
      const body = JSON.stringify(events);
      const signal = AbortSignal.timeout(PATIENCE);
      const response = await fetch(url, { method: "POST", headers, body, signal });
      assert.equal(response.status, 201, await response.text());
    },
    url: () => server.url,
  };
}

/** Returns the name of a stream that no other test uses. */
export function freshStream(): string {
  return `page-${randomUUID()}`;
}

/** Returns the address of the page with this stream. */
export function addressOf(stream: string): string {
  return `/?${new URLSearchParams({ stream })}`;
}

/** Fills in the form and submits it. */
export async function appendBy(page: Page, type: string, data: string): Promise<void> {
  await page.getByLabel("Type").fill(type);
  await page.getByLabel("Data").fill(data);
  await page.getByRole("button", { name: "Append" }).click();
}

/** Returns the events that the page shows, from the top. */
export function shownEvents(
  page: Page,
): Promise<{ version: string; type: string; data: string }[]> {
  return page.locator(".event").evaluateAll((items) =>
    items.map((item) => ({
      version: item.querySelector(".event-version")?.lastChild?.textContent ?? "",
      type: item.querySelector("h4")?.textContent ?? "",
      data: item.querySelector(".json-data")?.textContent?.trim() ?? "",
    })),
  );
}
