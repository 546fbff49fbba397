const CONTROL_CHARACTER = /\p{Cc}/u;

/** Whether the value is a string of 1 to `longest` bytes of UTF-8 without control characters. */
export function isName(name: unknown, longest: number): name is string {
  return (
    typeof name === "string" &&
    name !== "" &&
    name.isWellFormed() &&
    !CONTROL_CHARACTER.test(name) &&
    new TextEncoder().encode(name).length <= longest
  );
}
