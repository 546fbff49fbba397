// Tests of the page: the keyboard alone, both colour schemes, a phone, and the policy.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { addressOf, appendBy, freshStream, useConsole } from "./browser.ts";
import { contrastOfTexts } from "./contrast.ts";

const sillok = useConsole();
const LONG_TYPE = "AnEventTypeWithoutAnySpaces".repeat(5);

/** Presses Tab until this element has the focus. The focus must be visible at every stop. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate((wanted) => {
      const focused = document.activeElement;
      if (focused === null || focused === document.body) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(focused);
      const visible = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
      return { visible, html: focused.outerHTML.slice(0, 80), found: focused.matches(wanted) };
    }, selector);
    if (stop === null) continue;
    assert.ok(stop.visible, `the focus is visible at ${stop.html}`);
    if (stop.found) return;
  }
  assert.fail(`Tab never reaches ${selector}`);
}

/** Appends an event, and shows a refusal and the output of the tutorial on the page. */
async function openBusyPage(page: Page): Promise<void> {
  await appendBy(page, LONG_TYPE, `{"long":"${"x".repeat(300)}","deep":[[[[[[1,2,3]]]]]]}`);
  await page.locator(".event").waitFor();
  await page.getByLabel("Expected version").selectOption("no-stream");
  await page.getByRole("button", { name: "Append" }).click();
  await page.getByText("wrong_expected_version").waitFor();
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText("The program has finished.").waitFor();
}

test("the keyboard alone can open a stream and append to it", async (t) => {
  const page = await sillok.open(t, "/");
  const stream = freshStream();
  await tabTo(page, "#stream");
  await page.keyboard.type(stream);
  await page.keyboard.press("Enter");
  await page.getByText("This stream has no events yet.").waitFor();
  await tabTo(page, "#type");
  await page.keyboard.type("Deposited");
  await tabTo(page, "#data");
  await page.keyboard.type('{"amount":100}');
  await tabTo(page, "#expected");
  await page.keyboard.type("exactly");
  await tabTo(page, "#exact");
  await page.keyboard.type("7");
  await page.keyboard.press("Enter");
  // The refusal moves the focus to its remedy. The remedy moves it to the button.
  await page.getByRole("button", { name: "Use “no stream yet”" }).waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.getByText("The store appended the event as version 1.").waitFor();
  await page.getByRole("heading", { name: "Deposited" }).waitFor();
  await tabTo(page, "#run");
  await page.keyboard.press("Space");
  await page.getByText("The program has finished. It printed 2 lines.").waitFor();
});

test("the first stop of the focus leads to the events", async (t) => {
  const page = await sillok.open(t, addressOf(freshStream()));
  await tabTo(page, ".skip");
  await page.keyboard.press("Enter");
  await tabTo(page, "#refresh");
  assert.equal(await page.locator("[tabindex]:not([tabindex='0'], [tabindex='-1'])").count(), 0);
});

test("every control has a name, and the page announces results and refusals", async (t) => {
  const page = await sillok.open(t, addressOf(freshStream()));
  const unnamed = await page.locator("input, textarea, select").evaluateAll((controls) =>
    controls.flatMap((control) => {
      const { labels } = control as HTMLInputElement;
      const name = control.ariaLabel ?? labels?.[0]?.textContent ?? "";
      return name.trim() === "" ? [control.outerHTML] : [];
    }),
  );
  assert.deepEqual(unnamed, []);
  await page.locator("#append-status[role=status]").waitFor({ state: "attached" });
  await page.locator("#record-status[role=status]").waitFor({ state: "attached" });
  await page.locator("[role=log] #printed").waitFor({ state: "attached" });
  await appendBy(page, "Deposited", "{");
  await page.locator("#data-problem [role=alert]").waitFor();
});

const papers: string[] = [];
for (const colorScheme of ["light", "dark"] as const) {
  test(`every text can be read in ${colorScheme}`, async (t) => {
    // Without motion, because a colour that changes must not be measured.
    const options = { colorScheme, reducedMotion: "reduce" as const };
    const page = await sillok.open(t, addressOf(freshStream()), options);
    await openBusyPage(page);
    const texts = await contrastOfTexts(page);
    assert.ok(texts.length > 40, `${texts.length} texts were measured`);
    assert.deepEqual(
      texts.filter(({ ratio }) => ratio < 4.5),
      [],
    );
    papers.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
  });
}

test("light and dark differ", () => {
  assert.equal(new Set(papers).size, 2, papers.join());
});

for (const width of [320, 360, 400, 1280]) {
  test(`nothing lies outside a screen ${width} pixels wide`, async (t) => {
    const viewport = { width, height: 740 };
    const page = await sillok.open(t, addressOf(freshStream()), { viewport });
    await openBusyPage(page);
    const outside = await page.evaluate(() => ({
      scrolls: document.documentElement.scrollWidth - innerWidth,
      elements: [...document.querySelectorAll("body *:not(.skip):not(.visually-hidden)")]
        .filter((element) => {
          const box = element.getBoundingClientRect();
          return box.width > 0 && (box.left < 0 || box.right > innerWidth);
        })
        .map((element) => element.outerHTML.slice(0, 80)),
    }));
    assert.deepEqual(outside, { scrolls: 0, elements: [] });
  });
}

test("nothing moves if the user prefers reduced motion", async (t) => {
  for (const reducedMotion of ["no-preference", "reduce"] as const) {
    const page = await sillok.open(t, addressOf(freshStream()), { reducedMotion });
    await appendBy(page, "Deposited", "1");
    await page.getByText("The store appended the event as version 1.").waitFor();
    // This reads the styles, because the animation itself may be over by now.
    const moves = await page.locator("*").evaluateAll((elements) =>
      elements.flatMap((element) => {
        const { animationName, transitionDuration } = getComputedStyle(element);
        return [animationName, transitionDuration].filter((style) => !/^(none|0s)$/.test(style));
      }),
    );
    if (reducedMotion === "reduce") assert.deepEqual(moves, []);
    else assert.ok(moves.includes("settle"), moves.join());
  }
});

test("the policy allows only the page's own scripts, and no page may frame it", async (t) => {
  const response = await fetch(sillok.url());
  assert.match(response.headers.get("Content-Security-Policy") ?? "", /frame-ancestors 'none'/);
  assert.equal(response.headers.get("X-Content-Type-Options"), "nosniff");
  // This test breaks the policy on purpose. So it uses a tab without the check for breaches.
  const page = await (await sillok.open(t, "/")).context().newPage();
  await page.goto(sillok.url().href);
  const breached = await page.evaluate(async () => {
    const breach = new Promise<string>((resolve) => {
      addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
    });
    const script = document.createElement("script");
    script.src = "data:text/javascript,";
    const loaded = new Promise<string>((resolve) => (script.onload = () => resolve("none")));
    document.head.append(script);
    return Promise.race([breach, loaded]);
  });
  assert.equal(breached, "script-src-elem");
});
