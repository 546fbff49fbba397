// @ts-check
/** Assembles the page. Only the page's address decides which stream is open. */

import { health } from "./api.js";
import { createAppend } from "./append.js";
import { byId } from "./dom.js";
import { createTimeline } from "./timeline.js";
import { createTokenForm } from "./token.js";
import { createTutorial } from "./tutorial.js";

/** @import { Failure } from "./wire.js" */

const streamForm = byId("stream-form", HTMLFormElement);
const streamInput = byId("stream", HTMLInputElement);

const tokenForm = createTokenForm(() => void timeline.load());

/** @param {Failure} failure */
function refused(failure) {
  if (failure.kind === "problem" && failure.status === 401) tokenForm.ask();
  const aboutStream = failure.kind === "problem" && failure.field === "stream";
  if (aboutStream) streamInput.setAttribute("aria-invalid", "true");
}

const timeline = createTimeline(refused);
const appendForm = createAppend({
  currentVersion: timeline.version,
  appended: (firstVersion) => timeline.load(firstVersion),
  conflicted: () => void timeline.load(),
  refused,
});

function openFromAddress() {
  const stream = new URLSearchParams(location.search).get("stream") ?? "";
  streamInput.value = stream;
  streamInput.removeAttribute("aria-invalid");
  document.title = stream === "" ? "Sillok" : `${stream} · Sillok`;
  appendForm.open(stream);
  void timeline.open(stream);
}

streamForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const stream = streamInput.value;
  const search = stream === "" ? "" : `?${new URLSearchParams({ stream })}`;
  if (search !== location.search) history.pushState(null, "", `${location.pathname}${search}`);
  openFromAddress();
});
addEventListener("popstate", openFromAddress);

openFromAddress();
void createTutorial();
void health().then((answer) => {
  const words = answer.ok ? `The store runs Sillok ${answer.value}.` : "The store does not answer.";
  byId("health", HTMLSpanElement).textContent = words;
});
