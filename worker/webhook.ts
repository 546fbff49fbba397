// The requests to the receivers of webhooks. Rust makes one call for each: a call costs more than the values that it carries.

/** The sender of one webhook, as Rust calls it. Each object has its own: the ids of two webhooks or tenants may be equal. */
export class Sender {
  /** The requests under way, by the ids of their deliveries. */
  readonly #underWay = new Map<string, AbortController>();

  /**
   * Sends one delivery. Returns the status, a space, and the milliseconds that `Retry-After` asks for, where it asks.
   *
   * @throws When the receiver cannot be reached, or the delivery was aborted.
   */
  async post(
    url: string,
    agent: string,
    id: string,
    timestamp: string,
    signature: string,
    body: string,
  ): Promise<string> {
    const controller = new AbortController();
    this.#underWay.set(id, controller);
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/cloudevents+json",
          "user-agent": agent,
          "webhook-id": id,
          "webhook-timestamp": timestamp,
          "webhook-signature": signature,
        },
        body,
        // The operator has agreed to this URL, not to one that the receiver redirects to.
        redirect: "manual",
        signal: controller.signal,
      });
      // Only the status counts: the body need not be sent. A body that cannot be cancelled has ended.
      await response.body?.cancel().catch(() => undefined);
      return `${response.status} ${milliseconds(response.headers.get("retry-after"))}`;
    } finally {
      // The next attempt has the same id.
      if (this.#underWay.get(id) === controller) this.#underWay.delete(id);
    }
  }

  /** Aborts a delivery whose time is over: it must not continue beside the next attempt. */
  abort(id: string): void {
    this.#underWay.get(id)?.abort();
  }
}

/** The wait of `Retry-After`, which has seconds or a date of HTTP; empty where it has neither. */
function milliseconds(text: string | null): string {
  if (text === null) return "";
  const seconds = text.trim();
  if (/^[0-9]+$/.test(seconds)) return String(Math.min(Number(seconds) * 1000, MOST));
  const wait = Date.parse(seconds) - Date.now();
  return Number.isNaN(wait) ? "0" : String(Math.max(0, wait));
}

/** The longest wait that is passed on. The core has a shorter bound of its own. */
const MOST = Number.MAX_SAFE_INTEGER;
