/** The start of the page: it connects to the Worker that serves it. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { connect } from "sillok/client";
import { SillokProvider } from "sillok/react";
import type { App } from "../worker.ts";
import { Bank } from "./bank.tsx";
import { token } from "./token.tsx";

const client = connect<App>(location.origin, { token });

createRoot(document.getElementById("page")!).render(
  <StrictMode>
    <SillokProvider client={client}>
      <Bank />
    </SillokProvider>
  </StrictMode>,
);
