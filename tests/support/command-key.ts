/** The key of a reactor's command for an event, computed as any program can compute it. */
export async function commandKey(
  consumer: string,
  event: { stream: string; version: number; id: string },
  n: number,
): Promise<string> {
  const text = [consumer, event.stream, event.version, event.id].join("\n");
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const digits = Array.from(new Uint8Array(hash).slice(0, 16), (byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  return `${digits.join("")}:${n}`;
}
