/** The balances of all accounts, live, and the commands that change them. */

import { isSillokError } from "sillok/client";
import { useCommand, useDocuments } from "sillok/react";
import type { account } from "../account.ts";
import type { balances } from "../balances.ts";
import { TokenForm } from "./token.tsx";

/** Errors that a token mends. */
const NEEDS_TOKEN = ["missing_token", "invalid_token", "insufficient_scope"];

export function Bank() {
  const { documents, status, error } = useDocuments<typeof balances>("balances");
  if (isSillokError(error) && NEEDS_TOKEN.includes(error.code)) return <TokenForm />;
  return (
    <>
      <h1>Accounts</h1>
      <OpenForm id={String(documents.length + 1)} />
      <ul>
        {documents.map(({ key, document }) => (
          <Account key={key} id={key.slice("account-".length)} {...document} />
        ))}
      </ul>
      <p role="status">{status === "failed" ? String(error) : status}</p>
    </>
  );
}

/** Opens an account. If another page has taken the id, the command is rejected: then try the next id. */
function OpenForm({ id }: { id: string }) {
  const { execute, pending, rejection, error } = useCommand<typeof account>("account", id);
  return (
    <form
      action={async (form) => {
        await execute({ type: "Open", data: { owner: String(form.get("owner")) } });
      }}
    >
      <input name="owner" aria-label="Owner" placeholder="Ada" required />
      <button disabled={pending}>Open an account</button>
      <Problem rejection={rejection} error={error} />
    </form>
  );
}

function Account({ id, owner, cents }: { id: string; owner: string; cents: number }) {
  const { execute, pending, rejection, error } = useCommand<typeof account>("account", id);
  return (
    <li>
      <b>{owner}</b> has <output>{cents}</output> cents
      {(["Deposit", "Withdraw"] as const).map((type) => (
        <button
          key={type}
          disabled={pending}
          onClick={() => void execute({ type, data: { cents: 100 } })}
        >
          {type} 100
        </button>
      ))}
      <Problem rejection={rejection} error={error} />
    </li>
  );
}

/** Why the last command has changed nothing: the rules have refused it, or it has failed. */
function Problem({
  rejection,
  error,
}: {
  rejection: { code: string } | undefined;
  error: unknown;
}) {
  if (rejection !== undefined) return <strong role="alert">{rejection.code}</strong>;
  return error === undefined ? null : <strong role="alert">{String(error)}</strong>;
}
