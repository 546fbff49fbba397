// A page with the hooks of the package. `react.test.ts` bundles it, and opens it in a browser.

import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { connect } from "sillok/client";
import { SillokProvider, useCommand, useDocuments, useStream } from "sillok/react";

import type { account } from "../support/bank.ts";

const wanted = new URLSearchParams(location.hash.slice(1));
const [url = "", token = ""] = ["url", "token"].map((name) => wanted.get(name) ?? "");

/** The live connections: those that were ever opened, and those that are open. */
const live = { opened: [] as string[], open: 0 };
Object.assign(globalThis, { live });

function watched(address: string, request: RequestInit & { headers: Record<string, string> }) {
  if (request.headers["Accept"] === "text/event-stream") {
    live.opened.push(new URL(address).pathname);
    live.open += 1;
    request.signal?.addEventListener("abort", () => (live.open -= 1));
  }
  return fetch(address, request);
}

const client = connect(url, { token, fetch: watched as typeof fetch });

function Balances() {
  const { documents, status, error } = useDocuments<{ cents: number }>("balances", {
    prefix: "account-",
  });
  if (status === "failed") return <p>{String(error)}</p>;
  return (
    <ul className={status}>
      {documents.map(({ key, document }) => (
        <li key={key}>
          {key}: {document.cents}
        </li>
      ))}
    </ul>
  );
}

function Total() {
  const { documents, status } = useDocuments<{ cents: number }>("balances", { prefix: "account-" });
  const total = documents.reduce((sum, { document }) => sum + document.cents, 0);
  return <p id="total">{`${status} ${total}`}</p>;
}

function Withdraw({ id }: { id: string }) {
  const { execute, pending, rejection, error } = useCommand<typeof account>("account", id);
  const withdraw = () => execute({ type: "Withdraw", data: { cents: 5000 } });
  return (
    <>
      <button disabled={pending} onClick={withdraw}>
        Withdraw
      </button>
      {rejection?.code === "insufficient_funds" && (
        <p>{rejection.data.missing} cents are missing</p>
      )}
      {error !== undefined && <p>{String(error)}</p>}
    </>
  );
}

function Deposit({ id, cents, name }: { id: string; cents: number; name: string }) {
  const { execute, error } = useCommand<typeof account>("account", id);
  const code = (error as { code?: string } | undefined)?.code;
  return (
    <p id={name}>
      <button onClick={() => execute({ type: "Deposit", data: { cents } })}>Deposit</button>
      {code}
    </p>
  );
}

function History({ id }: { id: string }) {
  const { events } = useStream(`account-${id}`, { after: 1 });
  return <p id="events">{events.map(({ type }) => type).join()}</p>;
}

function Unknown() {
  const { documents, status, error } = useDocuments("nobody");
  const code = (error as { code?: string } | undefined)?.code;
  return <p id="unknown">{`${status} ${code} ${documents.length}`}</p>;
}

function App() {
  const [isShown, show] = useState(true);
  return (
    <main>
      <button id="toggle" onClick={() => show(!isShown)}>
        Show
      </button>
      {isShown && (
        <>
          <Balances />
          <Total />
          <History id="7" />
          <Withdraw id="7" />
          <Deposit id="7" cents={30} name="deposit" />
          <Deposit id="7" cents={0.5} name="broken" />
          <Unknown />
        </>
      )}
    </main>
  );
}

createRoot(document.querySelector("#root") as Element).render(
  <StrictMode>
    <SillokProvider client={client}>
      <App />
    </SillokProvider>
  </StrictMode>,
);
