// @ts-check
/** A table of documents, its status, and its problem. Strangers write keys and documents: every text is inserted as text. */

import { find } from "./dom.js";
import { askForToken } from "./token.js";

/** The most rows of a table. The rows that have not changed for the longest time go first. */
const MOST_ROWS = 200;

export class Table {
  /** @type {Map<string, HTMLTableRowElement>} */
  #rows = new Map();
  #body;
  #status;
  #problem;
  #cells;

  /**
   * @param {string} section the id of the section
   * @param {(key: string, document: any) => string[]} cells the texts of a row
   */
  constructor(section, cells) {
    this.#body = find(`#${section} tbody`, HTMLTableSectionElement);
    this.#status = find(`#${section} .status`, HTMLElement);
    this.#problem = find(`#${section} .problem`, HTMLElement);
    this.#cells = cells;
  }

  /** Removes all rows, and the problem. */
  clear() {
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#problem.hidden = true;
  }

  /**
   * Adds a document below the others.
   * @param {string} key
   * @param {unknown} document
   */
  add(key, document) {
    this.#fill(key, document);
    this.#status.textContent = "Reading …";
  }

  /**
   * Shows a new or a changed document above the others.
   * @param {string} key
   * @param {unknown} document
   */
  change(key, document) {
    this.#body.prepend(this.#fill(key, document));
    const last = this.#body.lastElementChild;
    if (this.#rows.size <= MOST_ROWS || !(last instanceof HTMLTableRowElement)) return;
    this.#rows.delete(last.dataset["key"] ?? "");
    last.remove();
  }

  /**
   * Removes a document.
   * @param {string} key
   */
  remove(key) {
    this.#rows.get(key)?.remove();
    this.#rows.delete(key);
  }

  /** @param {string} status */
  show(status) {
    this.#status.textContent = status;
    this.#problem.hidden = true;
  }

  /**
   * Shows an error, and a button that begins again.
   * @param {unknown} error
   * @param {() => void} again
   */
  fail(error, again) {
    const { code, message } = /** @type {{ code?: string, message?: string }} */ (Object(error));
    const name = document.createElement("code");
    name.textContent = code ?? "error";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Try again";
    button.addEventListener("click", again);
    this.#status.textContent = "Stopped.";
    this.#problem.replaceChildren(name, ` ${message ?? String(error)} `, button);
    this.#problem.hidden = false;
    if (code === "missing_token" || code === "invalid_token") askForToken();
  }

  /**
   * @param {string} key
   * @param {unknown} content
   */
  #fill(key, content) {
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.#body.insertRow();
      row.dataset["key"] = key;
      this.#rows.set(key, row);
    }
    const cells = this.#cells(key, content).map((text, place) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      cell.className = this.#body.parentElement?.querySelectorAll("th")[place]?.className ?? "";
      return cell;
    });
    row.replaceChildren(...cells);
    return row;
  }
}
