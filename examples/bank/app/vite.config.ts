import { cloudflare } from "@cloudflare/vite-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** On this machine, the Worker needs no token. This variable is in no build. */
const local = { vars: { SILLOK_AUTH: "off" } };

export default defineConfig(({ command }) => ({
  root: import.meta.dirname,
  plugins: [react(), cloudflare({ config: command === "serve" ? local : {} })],
}));
