import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

// All tests run inside the runtime of Workers. Without authentication, the Worker needs no token.
export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: { bindings: { SILLOK_AUTH: "off" } },
    }),
  ],
});
