// @ts-check
/**
 * JSON as text. `JSON.parse` rounds 12345678901234567890 and drops repeated names. So the page does
 * not parse the data that it shows. It cuts their text out of the answer, and changes only the white
 * space between the tokens. Every function here expects text that `JSON.parse` accepts. No function
 * is recursive, because data may be nested as deep as an event is long.
 */

const MAX_INDENT = 20;

/** @param {string | undefined} char */
function isSpace(char) {
  return char === " " || char === "\n" || char === "\r" || char === "\t";
}

/**
 * Returns the tokens of a JSON text: brackets, commas, colons, strings, numbers and words.
 * @param {string} text
 * @returns {Generator<{ token: string, start: number }>}
 */
function* tokens(text) {
  let at = 0;
  while (at < text.length) {
    if (isSpace(text[at])) {
      at += 1;
      continue;
    }
    const end = tokenEnd(text, at);
    yield { token: text.slice(at, end), start: at };
    at = end;
  }
}

/**
 * @param {string} text
 * @param {number} start
 */
function tokenEnd(text, start) {
  let at = start;
  if (text[at] === '"') {
    at += 1;
    while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    return at + 1;
  }
  if ("{}[],:".includes(text.charAt(at))) return at + 1;
  while (at < text.length && !isSpace(text[at]) && !"{}[],:".includes(text.charAt(at))) at += 1;
  return at;
}

/**
 * Returns the direct members of an object, or the elements of an array. Each has its own JSON text.
 * The name of an element is "".
 * @param {string} text
 * @returns {{ name: string, text: string }[]}
 */
export function parts(text) {
  /** @type {{ name: string, text: string }[]} */
  const found = [];
  let depth = 0;
  let name = "";
  let valueStart = -1;
  let valueEnd = -1;
  for (const { token, start } of tokens(text)) {
    if (depth === 1 && token === ":") {
      name = String(JSON.parse(text.slice(valueStart, valueEnd)));
      valueStart = -1;
      continue;
    }
    const closes = token === "}" || token === "]";
    if (depth === 1 && (token === "," || closes)) {
      if (valueStart >= 0) found.push({ name, text: text.slice(valueStart, valueEnd) });
      name = "";
      valueStart = -1;
    } else if (depth >= 1) {
      if (valueStart < 0) valueStart = start;
      valueEnd = start + token.length;
    }
    if (closes) depth -= 1;
    else if (token === "{" || token === "[") depth += 1;
  }
  return found;
}

/**
 * Returns a token as it looks on one line: `{ "amount": 100, "tags": ["a", "b"] }`.
 * @param {string[]} list
 * @param {number} at
 */
function inline(list, at) {
  const token = list[at] ?? "";
  if (token === "," || token === ":") return `${token} `;
  if (token === "{") return list[at + 1] === "}" ? token : "{ ";
  if (token === "}") return list[at - 1] === "{" ? token : " }";
  return token;
}

/**
 * Finds for each opening bracket its closing bracket, and the length of both on one line.
 * @param {string[]} list
 * @returns {Map<number, { close: number, length: number }>}
 */
function brackets(list) {
  /** @type {Map<number, { close: number, length: number }>} */
  const found = new Map();
  /** @type {{ at: number, before: number }[]} */
  const open = [];
  let length = 0;
  list.forEach((token, at) => {
    if (token === "{" || token === "[") open.push({ at, before: length });
    length += inline(list, at).length;
    if (token === "}" || token === "]") {
      const opened = open.pop();
      if (opened) found.set(opened.at, { close: at, length: length - opened.before });
    }
  });
  return found;
}

/**
 * Lays out JSON for reading. A value that fits on a line of `width` stays on one line.
 * @param {string} text
 * @param {number} [width]
 * @returns {string}
 */
export function layOut(text, width = 56) {
  const list = Array.from(tokens(text), ({ token }) => token);
  const spans = brackets(list);
  /** @type {string[]} */
  const out = [];
  let depth = 0;
  const newLine = () => out.push("\n", "  ".repeat(Math.min(depth, MAX_INDENT)));
  let inlineUntil = -1;
  list.forEach((token, at) => {
    const span = spans.get(at);
    if (span && at > inlineUntil && (span.length <= width || span.close === at + 1)) {
      inlineUntil = span.close;
    }
    if (at <= inlineUntil) {
      out.push(inline(list, at));
    } else if (span) {
      depth += 1;
      out.push(token);
      newLine();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      newLine();
      out.push(token);
    } else if (token === ",") {
      out.push(token);
      newLine();
    } else {
      out.push(token === ":" ? ": " : token);
    }
  });
  return out.join("");
}

/**
 * Returns whether a text is JSON.
 * @param {string} text
 */
export function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
