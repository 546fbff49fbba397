// @ts-check
/** The bearer token. It is in this tab's session storage, and never in the address or in a log. */

import { byId } from "./dom.js";

const KEY = "sillok.token";

/** Holds the token if the browser forbids session storage. */
let remembered = "";

/** Returns the token in use. It is empty if there is none. */
export function currentToken() {
  try {
    return sessionStorage.getItem(KEY) ?? remembered;
  } catch {
    return remembered;
  }
}

/** @param {string} token */
function save(token) {
  remembered = token;
  try {
    if (token === "") sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    // Then the token is in memory only, and is lost when the page is loaded again.
  }
}

/**
 * Connects the token's form to the page.
 * @param {() => void} changed called after the user has set or removed the token
 * @returns {{ ask(): void }} `ask` opens the form and moves the focus to it, after a refusal
 */
export function createTokenForm(changed) {
  const panel = byId("token-panel", HTMLDetailsElement);
  const form = byId("token-form", HTMLFormElement);
  const input = byId("token", HTMLInputElement);
  const state = byId("token-state", HTMLSpanElement);

  const show = () => {
    state.textContent = currentToken() === "" ? "none" : "in use";
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(input.value.trim());
    input.value = "";
    show();
    panel.open = false;
    panel.querySelector("summary")?.focus();
    changed();
  });
  show();

  return {
    ask() {
      panel.open = true;
      input.focus();
    },
  };
}
