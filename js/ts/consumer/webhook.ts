import { CONSUMER_TIMEOUT_MILLIS, POLICY_TIMEOUT_MILLIS } from "../store/limits.js";
import {
  checkAfter,
  checkNumber,
  definedFor,
  type FollowerDefinition,
  type FollowOptions,
  invalidConsumer,
} from "./definition.js";

/**
 * A value of a definition: itself, or a function that returns it. The function gets the environment of the Worker, and the
 * tenant whose events are sent; `undefined` for the tenant without a name.
 */
export type FromEnv<Value, Env> =
  Value | ((env: Env, tenant: string | undefined) => Value | undefined);

/** The options that webhooks and queues share. */
export interface SendOptions extends FollowOptions {
  /** The only event types to follow, at least one. Default: all types. */
  readonly types?: readonly string[] | undefined;
  /**
   * The checkpoint to start after, such as the one of an event of `readAll`. Default: the beginning. The option has no effect
   * after the consumer has sent an event: then it continues at its own checkpoint.
   */
  readonly after?: string | undefined;
  /**
   * The longest time of an attempt, in milliseconds: 1 to ten minutes. After this time the attempt has failed. Default: half a
   * minute.
   */
  readonly timeout?: number | undefined;
}

/** Options of {@link webhook}. `Env` is the type of the environment of the Worker. */
export interface WebhookOptions<Env = unknown> extends SendOptions {
  /**
   * The URL of the receiver, or a function that returns it. It must begin with `https://` and name a host on the internet. If
   * authentication is off, `http://` and this machine are allowed too.
   */
  readonly url: FromEnv<string, Env>;
  /**
   * The secret that signs the messages, or a function that returns it: `whsec_` and then 24 to 64 bytes in base64. Pass a
   * function, so that the secret is not in your code: `(env: Env) => env.LARGE_SECRET`.
   */
  readonly secret: FromEnv<string, Env>;
  /** The most events that are sent at once, each of another stream: 1 to 6. Default: 1. */
  readonly concurrency?: number | undefined;
}

/** A webhook in the code of a Worker, made by {@link webhook}. */
export interface WebhookDefinition<Env = unknown> extends FollowerDefinition {
  /** The kind of the consumer. */
  readonly kind: "webhook";
  /** The URL of the receiver, or a function that returns it. */
  readonly url: FromEnv<string, Env>;
  /** The secret that signs the messages, or a function that returns it. */
  readonly secret: FromEnv<string, Env>;
  /** The most events that are sent at once. */
  readonly concurrency: number;
  /** The checkpoint to start after; undefined for the beginning. */
  readonly after: string | undefined;
  /** The longest time of an attempt, in milliseconds. */
  readonly timeout: number;
}

const OWN = ["url", "secret", "concurrency", "after", "timeout"] as const;
/** The most events that a webhook sends at once. */
const MOST_AT_ONCE = 6;
const URL_FORM = /^https?:\/\/[^\s\\]{1,2040}$/i;
const SECRET_FORM = /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/;

/**
 * Defines a webhook in the code of a Worker. It sends each event to a URL, as a CloudEvent in JSON, at least once. Register it
 * in `sillok({ reactors: [ … ] })`. The receiver checks a message with `verifyWebhook`. A webhook in code runs for every tenant,
 * and a message does not name the tenant.
 *
 * If the function of `url` or `secret` throws, or returns no valid value, the webhook pauses in front of the next event. No
 * event is lost. Correct the environment, then resume the webhook.
 *
 * @param name - The name of the consumer: 1 to 200 bytes of UTF-8 without control characters. A request cannot define a
 * consumer of this name.
 * @param options - The receiver, the secret, the followed events, and the policy for failures.
 * @throws {@link SillokError} `invalid_consumer`, whose `field` names the wrong part; `invalid_parameter` for an unknown
 * option.
 *
 * @example
 * ```ts
 * import { webhook } from "sillok";
 *
 * type Env = { LARGE_SECRET: string };
 *
 * const large = webhook("large", {
 *   url: "https://shop.example/hook",
 *   category: "order",
 *   types: ["Placed"],
 *   secret: (env: Env) => env.LARGE_SECRET,
 * });
 * console.log(large.kind, large.name, large.types); // webhook large [ 'Placed' ]
 * ```
 */
export function webhook<Env = unknown>(
  name: string,
  options: WebhookOptions<Env>,
): WebhookDefinition<Env> {
  const definition = definedFor(name, options, OWN);
  const { url, secret, concurrency = 1, after, timeout = POLICY_TIMEOUT_MILLIS } = options;
  checkValue(url, URL_FORM, "url", "must be a URL that begins with https://");
  const form = "must be `whsec_` and then 24 to 64 bytes in base64";
  checkValue(secret, SECRET_FORM, "secret", form);
  checkNumber(concurrency, "concurrency", 1, MOST_AT_ONCE);
  checkSending(after, timeout);
  return Object.freeze({
    kind: "webhook",
    url,
    secret,
    concurrency,
    after,
    timeout,
    ...definition,
  });
}

/** Checks the options that only webhooks and queues have. */
export function checkSending(after: unknown, timeout: unknown): void {
  checkAfter(after);
  checkNumber(timeout, "timeout", 1, CONSUMER_TIMEOUT_MILLIS);
}

function checkValue(value: unknown, form: RegExp, field: string, reason: string): void {
  if (typeof value === "function" || (typeof value === "string" && form.test(value))) return;
  throw invalidConsumer(field, `${reason}, or a function that returns it`);
}
