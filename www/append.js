// @ts-check
/**
 * The form that appends. It judges nothing: what was typed is what is sent, so that every refusal
 * shown here is the Worker's own.
 */

import { append } from "./api.js";
import { button, byId, element } from "./dom.js";
import { isJson } from "./json-text.js";
import { showFailure } from "./problem.js";

/** @import { Failure } from "./wire.js" */
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */

/**
 * The body of an append, with the data as it was typed, from the start of line 2: the Worker says
 * where JSON breaks by line and column, and the columns are then those of the field.
 * @param {string} type
 * @param {string} data
 */
export function eventBody(type, data) {
  const head = `{"type":${JSON.stringify(type)}`;
  if (/^[ \t\r\n]*$/.test(data)) return `${head}}`;
  const body = `${head},"data":\n${data}}`;
  // Something like `1,"id":"x"` is not JSON, yet completes the object around it. Within an array
  // it cannot, so there the Worker sees the mistake that it is.
  if (isJson(body) && !isJson(data)) return `${head},"data":[\n${data}]}`;
  return body;
}

/**
 * The request header that states the expected version.
 * @param {string} choice
 * @param {string} exact as typed
 * @returns {Record<string, string>}
 */
export function condition(choice, exact) {
  switch (choice) {
    case "no-stream":
      return { "If-None-Match": "*" };
    case "stream-exists":
      return { "If-Match": "*" };
    case "exactly":
      return { "If-Match": `"${exact.trim()}"` };
    default:
      return {};
  }
}

/**
 * @param {object} hooks
 * @param {() => number} hooks.currentVersion the version last read
 * @param {(firstVersion: number) => Promise<void>} hooks.appended
 * @param {() => void} hooks.conflicted the stream is not where the reader thought
 * @param {(failure: Failure) => void} hooks.refused
 */
export function createAppend(hooks) {
  const section = byId("append", HTMLElement);
  const form = byId("append-form", HTMLFormElement);
  const type = byId("type", HTMLInputElement);
  const data = byId("data", HTMLTextAreaElement);
  const expected = byId("expected", HTMLSelectElement);
  const exact = byId("exact", HTMLInputElement);
  const submit = byId("append-button", HTMLButtonElement);
  const status = byId("append-status", HTMLSpanElement);
  const places = {
    type: byId("type-problem", HTMLDivElement),
    data: byId("data-problem", HTMLDivElement),
    expected: byId("expected-problem", HTMLDivElement),
    form: byId("append-problem", HTMLDivElement),
  };

  let stream = "";
  let sending = false;

  const clear = () => {
    status.textContent = "";
    for (const place of Object.values(places)) place.replaceChildren();
    for (const control of [type, data, expected, exact]) control.removeAttribute("aria-invalid");
  };

  const showExact = () => {
    exact.hidden = expected.value !== "exactly";
    if (!exact.hidden && exact.value === "") exact.value = String(hooks.currentVersion());
  };

  /** @param {number} version */
  const expect = (version) => {
    expected.value = version === 0 ? "no-stream" : "exactly";
    exact.value = version === 0 ? "" : String(version);
    showExact();
    clear();
    status.textContent = `Now expecting ${version === 0 ? "no stream" : `version ${version}`}.`;
    submit.focus();
  };

  /**
   * Which control a failure is about, and where it is shown.
   * @param {Failure} failure
   * @returns {{ place: HTMLElement, control: Control | null }}
   */
  const locate = (failure) => {
    const field = "field" in failure ? failure.field : "";
    const code = failure.kind === "problem" ? failure.code : "";
    if (/^if-(none-)?match$/i.test(field) || code === "wrong_expected_version") {
      return { place: places.expected, control: exact.hidden ? expected : exact };
    }
    if (/(^|\.)type$/.test(field)) return { place: places.type, control: type };
    // The rest of the body is written here: malformed, it can only be so in the data.
    if (/(^|\.)data\b/.test(field) || code === "malformed_json") {
      return { place: places.data, control: data };
    }
    return { place: places.form, control: null };
  };

  /** @param {Failure} failure */
  const fail = (failure) => {
    const { place, control } = locate(failure);
    control?.setAttribute("aria-invalid", "true");
    if (failure.kind === "problem" && failure.code === "wrong_expected_version") {
      const { actual } = failure;
      hooks.conflicted();
      if (actual !== null) {
        const label = actual === 0 ? "Use “no stream yet”" : `Use version ${actual}`;
        const remedy = button(label, () => expect(actual));
        showFailure(place, failure, remedy);
        remedy.focus();
        return;
      }
    }
    showFailure(place, failure);
    if (failure.kind === "network" || failure.kind === "foreign") {
      const unsure = "Whether the event was recorded is not known: refresh before you try again.";
      place.firstElementChild?.append(element("p", {}, unsure));
    }
    if (failure.kind === "problem" && failure.code === "malformed_json") {
      place.firstElementChild?.append(
        element("p", {}, "The data begins on line 2 of what was sent."),
      );
    }
    control?.focus();
    hooks.refused(failure);
  };

  const send = async () => {
    if (sending) return;
    sending = true;
    clear();
    submit.setAttribute("aria-disabled", "true");
    status.textContent = "Appending …";
    const target = stream;
    const body = eventBody(type.value, data.value);
    const result = await append(target, body, condition(expected.value, exact.value));
    sending = false;
    submit.removeAttribute("aria-disabled");
    status.textContent = "";
    // Another stream was opened meanwhile; its page has nothing to say about this one.
    if (target !== stream) return;
    if (!result.ok) return fail(result.failure);
    await hooks.appended(result.value.firstVersion);
    status.textContent = `Recorded as version ${result.value.version}.`;
  };

  expected.addEventListener("change", showExact);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
  data.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });

  return {
    /**
     * Appends go to this stream from now on; to none hides the form.
     * @param {string} name
     */
    open(name) {
      stream = name;
      section.hidden = name === "";
      exact.value = "";
      showExact();
      clear();
    },
  };
}
