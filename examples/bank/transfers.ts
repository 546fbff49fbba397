/** Every transfer, as a document. The page shows them. */

import { type Documents, type EventOf, projection } from "sillok";
import { afterDebit, type Transfer, transfer } from "./transfer.ts";

interface Document {
  from: string;
  to: string;
  cents: number;
  status: Transfer["status"];
}

const status =
  (status: Transfer["status"]) => (event: { stream: string }, documents: Documents<Document>) =>
    documents.put(event.stream, { ...documents.get(event.stream)!, status });

export const transfers = projection<EventOf<typeof transfer>, Document>("transfers", {
  category: "transfer",
  events: transfer.events,
  on: {
    Requested: ({ stream, data }, documents) =>
      documents.put(stream, { ...data, status: "requested" }),
    Lapsed: status("lapsed"),
    Debited({ stream }, documents) {
      const document = documents.get(stream)!;
      documents.put(stream, { ...document, status: afterDebit(document.status) });
    },
    CreditRefused: status("refunding"),
    Failed: status("failed"),
    Completed: status("completed"),
    RefundRefused: status("held"),
    Redirected: status("refunding"),
    Refunded: status("refunded"),
  },
});
