import assert from "node:assert/strict";

/** The error of a failed expectation. It must be one for every runner, and show these lines. */
export function shows(call: () => unknown, headline: RegExp, ...lines: string[]): void {
  assert.throws(call, (error: Error & Record<string, unknown>) => {
    assert.deepEqual([error.name, error["code"]], ["AssertionError", "ERR_ASSERTION"], error.stack);
    assert.ok("expected" in error && "actual" in error && error["showDiff"] === true);
    const [first, ...rest] = error.message.split("\n");
    assert.match(first ?? "", headline);
    const shown = rest.map((line) => line.replace(/^([-+]) */, "$1 ").trim());
    for (const line of lines) assert.ok(shown.includes(line), `${line} in:\n${error.message}`);
    return true;
  });
}
