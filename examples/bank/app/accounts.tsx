/** The balances of all accounts, live, and the commands to an account. */

import { useCommand, useDocuments } from "sillok/react";
import type { account } from "../account.ts";
import type { balances } from "../balances.ts";
import { Problem } from "./problem.tsx";

export function Accounts() {
  const { documents, status } = useDocuments<typeof balances>("balances");
  return (
    <section aria-label="Accounts">
      <h2>Accounts</h2>
      <OpenForm id={String(documents.length + 1)} />
      <ul>
        {documents.map(({ key, document }) => (
          <Account key={key} stream={key} {...document} />
        ))}
      </ul>
      <p role="status">{status}</p>
    </section>
  );
}

function OpenForm({ id }: { id: string }) {
  const { execute, pending, ...problem } = useCommand<typeof account>("account", id);
  return (
    <form
      action={async (form) => {
        await execute({ type: "Open", data: { owner: String(form.get("owner")) } });
      }}
    >
      <input name="owner" aria-label="Owner" required />
      <button disabled={pending}>Open an account</button>
      <Problem {...problem} />
    </form>
  );
}

function Account({ stream, owner, cents }: { stream: string; owner: string; cents: number }) {
  const id = stream.slice("account-".length);
  const { execute, pending, ...problem } = useCommand<typeof account>("account", id);
  return (
    <li>
      {owner} ({stream}) has {cents} cents
      {(["Deposit", "Withdraw"] as const).map((type) => (
        <button
          key={type}
          disabled={pending}
          onClick={() => void execute({ type, data: { cents: 100 } })}
        >
          {type} 100
        </button>
      ))}
      <Problem {...problem} />
    </li>
  );
}
