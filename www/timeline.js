// @ts-check
/** The events of one stream, newest first, below the day of their recorded time. */

import { readNewest, readNext } from "./api.js";
import { button, byId, element } from "./dom.js";
import { layOut } from "./json-text.js";
import { showFailure } from "./problem.js";

/** @import { Failure, Page, RecordedEvent } from "./wire.js" */

/** The page folds data that have more lines. */
const MAX_OPEN_LINES = 30;

const dayFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeZone: "UTC" });

/**
 * @param {(failure: Failure) => void} refused called with each failure that the page shows
 */
export function createTimeline(refused) {
  const section = byId("record", HTMLElement);
  const heading = byId("record-version", HTMLParagraphElement);
  const status = byId("record-status", HTMLParagraphElement);
  const problem = byId("record-problem", HTMLDivElement);
  const days = byId("days", HTMLDivElement);
  const older = byId("older", HTMLButtonElement);
  const refresh = byId("refresh", HTMLButtonElement);

  let stream = "";
  let version = 0;
  /** @type {string | null} */
  let next = null;
  /** Counts the reads. If a later read has begun, the page ignores the answer to an earlier one. */
  let turn = 0;

  /** @param {boolean} busy */
  const setBusy = (busy) => {
    section.setAttribute("aria-busy", String(busy));
    refresh.hidden = stream === "";
    older.hidden = next === null;
  };

  const clear = () => {
    version = 0;
    next = null;
    heading.textContent = "";
    status.textContent = "";
    problem.replaceChildren();
    days.replaceChildren();
  };

  /**
   * @param {Failure} failure
   * @param {() => void} again
   */
  const fail = (failure, again) => {
    status.textContent = "";
    showFailure(problem, failure, button("Try again", again));
    refused(failure);
  };

  /** @param {number} newFrom the first version that the page marks as new */
  const load = async (newFrom = Infinity) => {
    const mine = ++turn;
    if (stream === "") {
      setBusy(false);
      status.textContent = "No stream is open. Enter a stream’s name above.";
      return;
    }
    setBusy(true);
    status.textContent = "Reading the events …";
    const result = await readNewest(stream);
    if (mine !== turn) return;
    problem.replaceChildren();
    if (result.ok) {
      days.replaceChildren();
      version = result.value.version;
      next = result.value.next;
      heading.textContent = `version ${version}`;
      status.textContent = version === 0 ? "This stream has no events yet." : "";
      showEvents(days, result.value, newFrom);
    } else {
      fail(result.failure, () => void load());
    }
    setBusy(false);
  };

  const loadOlder = async () => {
    if (next === null || section.getAttribute("aria-busy") === "true") return;
    const mine = ++turn;
    setBusy(true);
    status.textContent = "";
    const result = await readNext(next);
    if (mine !== turn) return;
    problem.replaceChildren();
    if (result.ok) {
      next = result.value.next;
      // The focus moves to the first older event, because the button may be hidden now.
      showEvents(days, result.value, Infinity)?.focus({ preventScroll: true });
      status.textContent = `The page now shows ${result.value.events.length} older events.`;
    } else {
      fail(result.failure, () => void loadOlder());
    }
    setBusy(false);
  };

  const reload = async () => {
    const before = version;
    await load(before + 1);
    if (version === before && problem.childElementCount === 0 && version > 0) {
      status.textContent = "There are no new events.";
    }
  };

  older.addEventListener("click", () => void loadOlder());
  refresh.addEventListener("click", () => void reload());

  return {
    /**
     * Shows another stream. An empty name shows no stream.
     * @param {string} name
     */
    open(name) {
      stream = name;
      clear();
      return load();
    },
    /** Reads the stream again, and marks the events from version `newFrom` on as new. */
    load,
    /** Returns the version that the stream had when it was last read. */
    version: () => version,
  };
}

/**
 * Adds a page of events below the events that are shown.
 * @param {HTMLElement} days
 * @param {Page} page
 * @param {number} newFrom
 * @returns {HTMLElement | undefined} the first event added
 */
function showEvents(days, page, newFrom) {
  /** @type {HTMLElement | undefined} */
  let first;
  for (const event of page.events) {
    const day = event.time.slice(0, 10);
    let group = days.lastElementChild;
    if (!(group instanceof HTMLElement) || group.dataset["day"] !== day) {
      group = element("section", { class: "day", "data-day": day }, dayHeading(day));
      group.append(element("ol", { class: "events", reversed: "", start: String(event.version) }));
      days.append(group);
    }
    const item = showEvent(event);
    if (event.version >= newFrom) item.classList.add("is-new");
    group.lastElementChild?.append(item);
    first ??= item;
  }
  return first;
}

/** @param {string} day such as 2026-11-23 */
function dayHeading(day) {
  const date = new Date(`${day}T00:00:00Z`);
  const words = Number.isNaN(date.getTime()) ? day : dayFormat.format(date);
  return element("h3", {}, element("time", { datetime: day }, words));
}

/** @param {RecordedEvent} event */
function showEvent(event) {
  const time = element(
    "time",
    { datetime: event.time, title: event.time },
    event.time.slice(11, -1),
  );
  const words = element(
    "div",
    { class: "event-words" },
    element("h4", {}, element("bdi", {}, event.type)),
    element("p", { class: "event-facts" }, time, " ", element("code", {}, event.id)),
    ...showJson("data", event.data),
  );
  if (event.metadata !== "{}") words.append(...showJson("metadata", event.metadata));
  return element(
    "li",
    { class: "event", tabindex: "-1" },
    element("p", { class: "event-version" }, hidden("version "), String(event.version)),
    words,
  );
}

/** @param {string} text */
function hidden(text) {
  return element("span", { class: "visually-hidden" }, text);
}

/**
 * @param {"data" | "metadata"} name
 * @param {string} json
 * @returns {Node[]}
 */
function showJson(name, json) {
  const text = layOut(json);
  const lines = text.split("\n");
  const folded = lines.length > MAX_OPEN_LINES;
  const shown = element("pre", { class: `json json-${name}` });
  shown.append(...(folded ? [text] : lines.map(hangingLine)));
  if (!folded && name === "data") return [shown];
  const label = folded ? `${name}, ${lines.length} lines` : name;
  return [element("details", {}, element("summary", {}, label), shown)];
}

/** @param {string} line */
function hangingLine(line) {
  const shown = element("span", { class: "line" }, `${line}\n`);
  shown.style.setProperty("--indent", String(line.search(/\S|$/)));
  return shown;
}
