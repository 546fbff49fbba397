/** What went wrong, in words: a handler may throw anything. */
export function reasonOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "the handler threw what cannot be shown";
  }
}
