// @ts-check
/** The bearer token: in this tab's session storage, never in the address, never in a log. */

import { byId } from "./dom.js";

const KEY = "sillok.token";

/** Used where the browser forbids session storage. */
let remembered = "";

/** The token in use; empty when there is none. */
export function currentToken() {
  try {
    return sessionStorage.getItem(KEY) ?? remembered;
  } catch {
    return remembered;
  }
}

/** @param {string} token */
function keep(token) {
  remembered = token;
  try {
    if (token === "") sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    // Kept in memory alone, then: it is forgotten at the next load.
  }
}

/**
 * Wires the token's form.
 * @param {() => void} changed called after another token was set or forgotten
 * @returns {{ ask(): void }} `ask` opens the form and moves to it, after a refusal
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
    keep(input.value.trim());
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
