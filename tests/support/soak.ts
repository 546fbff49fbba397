/** Returns the size of a long test: a short one in every run, and the whole one with `SILLOK_SOAK=on`. */
export function soak<const T>(short: T, whole: T): T {
  return process.env["SILLOK_SOAK"] === "on" ? whole : short;
}
