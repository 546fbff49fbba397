/** All transfers, live, and a form that requests one. */

import { useState } from "react";
import { useCommand, useDocuments } from "sillok/react";
import type { transfer } from "../transfer.ts";
import type { transfers } from "../transfers.ts";
import { Problem } from "./problem.tsx";

export function Transfers() {
  const { documents } = useDocuments<typeof transfers>("transfers");
  return (
    <section aria-label="Transfers">
      <h2>Transfers</h2>
      <RequestForm />
      <table>
        <tbody>
          {documents.map(({ key, document: { from, to, cents, status } }) => (
            <tr key={key}>
              <td>{from}</td>
              <td>{to}</td>
              <td>{cents}</td>
              <td>{status}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function RequestForm() {
  // Each request is a transfer of its own. The id stays until the request is stored, so a repeat changes nothing.
  const [id, setId] = useState(() => crypto.randomUUID());
  const { execute, pending, ...problem } = useCommand<typeof transfer>("transfer", id);
  return (
    <form
      action={async (form) => {
        const data = {
          from: String(form.get("from")),
          to: String(form.get("to")),
          cents: Number(form.get("cents")),
        };
        const outcome = await execute({ type: "Request", data });
        if (outcome?.accepted) setId(crypto.randomUUID());
      }}
    >
      <input name="from" aria-label="From" placeholder="account-1" required />
      <input name="to" aria-label="To" placeholder="account-2" required />
      <input name="cents" aria-label="Cents" type="number" min="1" required />
      <button disabled={pending}>Transfer</button>
      <Problem {...problem} />
    </form>
  );
}
