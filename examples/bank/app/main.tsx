/** The start of the page: it connects to the Worker that serves it. */

import { createRoot } from "react-dom/client";
import { connect } from "sillok/client";
import { SillokProvider } from "sillok/react";
import { Accounts } from "./accounts.tsx";
import { Transfers } from "./transfers.tsx";
import type { App } from "./worker.ts";

createRoot(document.getElementById("page")!).render(
  <SillokProvider client={connect<App>(location.origin)}>
    <h1>Bank</h1>
    <Accounts />
    <Transfers />
  </SillokProvider>,
);
