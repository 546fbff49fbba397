import { RemoteEventStore } from "../remote/event-store.js";
import { Http } from "../remote/http.js";
import { invalid } from "../store/invalid.js";
import type { ConnectOptions } from "../store/options.js";
import type { AggregateClient } from "./aggregate-client.js";
import type { Projection } from "../consumer/projection.js";
import type { AggregateName, AggregateNamed, AnyApp } from "./app.js";
import type { ConsumerClient } from "./consumer-client.js";
import type { DocumentIn, DocumentsClient } from "./documents-client.js";
import type { Named } from "./name-of.js";
import { RemoteAggregate } from "./remote-aggregate.js";
import { RemoteConsumer } from "./remote-consumer.js";
import { RemoteDocuments } from "./remote-documents.js";

/** Something that sends requests to a Worker, such as a service binding. */
export interface Fetcher {
  /** Sends a request. */
  fetch(url: string, request: any): Promise<any>;
}

/** The address of a server without a host: a service binding ignores it. */
export const BOUND = "https://sillok";

/** A deployed Sillok, for the Worker of this type. {@link connect} returns it. */
export class Client<App extends AnyApp = AnyApp> {
  /** The streams of the server. */
  readonly store: RemoteEventStore;
  readonly #http: Http;

  /** Use {@link connect}. */
  constructor(server: string | { readonly href: string } | Fetcher, options: ConnectOptions) {
    const [url, all] = isFetcher(server) ? bound(server, options) : [server, options];
    this.#http = new Http(url, all);
    this.store = new RemoteEventStore(url, all);
  }

  /**
   * An aggregate of the server. This sends no request.
   *
   * @param name - The name of the aggregate, which is the category of its streams.
   * @param id - The text after the `-` of the stream id: `aggregate("account", "42")` is the stream `account-42`.
   */
  aggregate<Name extends AggregateName<App>>(
    name: Name,
    id: string,
  ): AggregateClient<AggregateNamed<App, Name>> {
    if (typeof name !== "string" || name === "" || name.includes("-")) {
      throw invalid("name", "must be the name of an aggregate, without a `-`");
    }
    if (typeof id !== "string") throw invalid("id", "must be a string");
    return new RemoteAggregate(this.#http, `${name}-${id}`);
  }

  /**
   * The documents of a projection of the server. This sends no request.
   *
   * The projection gives the documents their type. In a page, pass its type and its name, so that the page does not contain the
   * code of the projection: `client.documents<typeof balances>("balances")`.
   *
   * @param projection - The projection, or its name.
   * @throws {@link SillokError} `invalid_parameter` when the argument is neither a projection nor a name.
   *
   * @example
   * ```ts
   * import { connect } from "sillok/client";
   * import { projection } from "sillok/worker";
   *
   * type Deposited = { type: "Deposited"; data: { cents: number } };
   * const balances = projection<Deposited, { cents: number }>("balances", {
   *   category: "account",
   *   on: {
   *     Deposited({ stream, data }, documents) {
   *       documents.put(stream, { cents: (documents.get(stream)?.cents ?? 0) + data.cents });
   *     },
   *   },
   * });
   *
   * export async function total(): Promise<number> {
   *   const bank = connect("https://sillok.example.workers.dev", { token: "your-token" });
   *   let cents = 0;
   *   for await (const { document } of bank.documents(balances).list({ prefix: "account-" })) cents += document.cents;
   *   return cents;
   * }
   * ```
   */
  documents<Document>(projection: Projection<any, Document>): DocumentsClient<Document>;
  documents<T = unknown>(projection: string): DocumentsClient<DocumentIn<T>>;
  documents(projection: Named): DocumentsClient {
    return new RemoteDocuments(this.#http, projection);
  }

  /**
   * A consumer of the server: a projection, a reactor, a process, a webhook or a queue. This sends no request.
   *
   * @param consumer - The consumer, or its name.
   * @throws {@link SillokError} `invalid_parameter` when the argument is neither a consumer nor a name.
   *
   * @example
   * ```ts
   * import { connect, isSillokError } from "sillok/client";
   *
   * const mailer = connect("https://sillok.example.workers.dev", { token: "your-token" }).consumer("mailer");
   * try {
   *   const { status, lag, deadLetters } = await mailer.status();
   *   console.log(status, lag, deadLetters);
   *   for await (const { event, error } of mailer.deadLetters({ limit: 10 })) console.log(event.id, error);
   *   await mailer.retry();
   * } catch (error) {
   *   console.log(isSillokError(error) && error.code); // consumer_not_found
   * }
   * ```
   */
  consumer(consumer: Named): ConsumerClient {
    return new RemoteConsumer(this.#http, consumer);
  }
}

/**
 * Connects to a deployed Sillok, to send commands to its aggregates. The server decides them in the object of each stream,
 * and remembers all outcomes. With the type of your Worker, commands, events, rejections and states have their types.
 *
 * @param server - The URL of the Worker, or anything with a `fetch`, such as a service binding.
 * @param options - The token, and as for {@link EventStore.connect}. With a service binding, there is no option `fetch`.
 * @throws {@link SillokError} `invalid_parameter`, whose `field` names the wrong argument.
 *
 * @example
 * ```ts
 * import { connect } from "sillok";
 * import { aggregate, reject, sillok } from "sillok/worker";
 *
 * // In the Worker:
 * type AccountEvent = { type: "Deposited" | "Withdrawn"; data: { cents: number } };
 * type AccountCommand = { type: "Deposit" | "Withdraw"; data: { cents: number } };
 * const account = aggregate<AccountEvent, AccountCommand, { cents: number }>("account", {
 *   initialState: () => ({ cents: 0 }),
 *   evolve: ({ cents }, { type, data }) => ({ cents: type === "Deposited" ? cents + data.cents : cents - data.cents }),
 *   decide({ type, data }, { cents }) {
 *     if (type === "Deposit") return { type: "Deposited", data };
 *     return data.cents > cents ? reject("insufficient_funds") : { type: "Withdrawn", data };
 *   },
 * });
 * const app = sillok({ aggregates: [account] });
 * export type App = typeof app;
 * export class Aggregate extends app.objects.Aggregate {}
 * export class Journal extends app.objects.Journal {}
 * export class Consumer extends app.objects.Consumer {}
 * export default app;
 *
 * // In a program that uses it:
 * export async function withdraw(cents: number): Promise<string | number> {
 *   const bank = connect<App>("https://sillok.example.workers.dev", { token: "your-token" });
 *   const mine = bank.aggregate("account", "42");
 *   await mine.execute({ type: "Deposit", data: { cents: 100 } }, { commandId: "request-1" });
 *   const outcome = await mine.attempt({ type: "Withdraw", data: { cents } });
 *   return outcome.accepted ? outcome.version : outcome.rejection.code;
 * }
 * ```
 */
export function connect<App extends AnyApp = AnyApp>(
  server: string | { readonly href: string } | Fetcher,
  options: ConnectOptions = {},
): Client<App> {
  return new Client(server, options);
}

function isFetcher(server: unknown): server is Fetcher {
  // The stub of a service binding has a member of every name. So a URL is recognised first.
  if (typeof server !== "object" || server === null || server instanceof URL) return false;
  return typeof (server as Partial<Fetcher>).fetch === "function";
}

function bound(binding: Fetcher, options: ConnectOptions): [string, ConnectOptions] {
  if (options?.fetch !== undefined) {
    throw invalid("fetch", "must be left out where the server is an object with a `fetch`");
  }
  return [BOUND, { ...options, fetch: (url, request) => binding.fetch(url, request) }];
}
