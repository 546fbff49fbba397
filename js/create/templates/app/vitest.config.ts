import { defineConfig } from "vitest/config";

// The tests start the Worker themselves, so they need no plugin of vite.config.ts.
export default defineConfig({ test: { include: ["tests/*.test.ts"] } });
