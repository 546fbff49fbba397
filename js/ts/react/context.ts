import { createContext, createElement, type ReactElement, type ReactNode, useContext } from "react";

import type { AnyApp } from "../client/app.js";
import type { Client } from "../client/client.js";
import { invalid } from "../store/invalid.js";

const Context = createContext<Client | undefined>(undefined);

/** The properties of {@link SillokProvider}. */
export interface SillokProviderProps {
  /** The client of {@link connect}. Make it once, outside of your components. */
  readonly client: Client<any>;
  /** The components that use the client. */
  readonly children?: ReactNode;
}

/**
 * Gives the client to all components inside. The hooks of `sillok/react` use it.
 *
 * @example
 * ```ts
 * import { connect } from "sillok/client";
 * import { SillokProvider, useDocuments } from "sillok/react";
 * import { createElement } from "react";
 * import { renderToString } from "react-dom/server";
 *
 * function Balances() {
 *   const { documents, status } = useDocuments<{ cents: number }>("balances", { prefix: "account-" });
 *   return createElement("p", null, `${status}: ${documents.length} accounts`);
 * }
 *
 * const client = connect("https://sillok.example.workers.dev", { token: "your-token" });
 * console.log(renderToString(createElement(SillokProvider, { client }, createElement(Balances)))); // <p>loading: 0 accounts</p>
 * ```
 */
export function SillokProvider({ client, children }: SillokProviderProps): ReactElement {
  return createElement(Context.Provider, { value: client as Client }, children);
}

/**
 * The client of the nearest {@link SillokProvider}.
 *
 * @throws {@link SillokError} `invalid_parameter` with the field `client` when the component is in no provider.
 */
export function useClient<App extends AnyApp = AnyApp>(): Client<App> {
  const client = useContext(Context);
  if (client === undefined) {
    throw invalid("client", "must come from a SillokProvider around the component");
  }
  return client as Client<App>;
}
