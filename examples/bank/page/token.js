// @ts-check
/** The bearer token. It is in the session storage of this tab, and never in the address. */

import { find } from "./dom.js";

const KEY = "sillok.token";

/**
 * Calls a function with the present token, and with each token that the user enters.
 * @param {(token: string | undefined) => void} use
 */
export function onToken(use) {
  const [form, input] = [find("#token-form", HTMLFormElement), find("#token", HTMLInputElement)];
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const token = input.value.trim();
    input.value = "";
    find("#token-panel", HTMLDetailsElement).open = false;
    if (token === "") sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
    use(token === "" ? undefined : token);
  });
  use(sessionStorage.getItem(KEY) ?? undefined);
}

/** Opens the form for the token. */
export function askForToken() {
  find("#token-panel", HTMLDetailsElement).open = true;
  find("#token", HTMLInputElement).focus();
}
