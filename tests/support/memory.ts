/** The memory of a server during some work. */

import type { Server } from "./server.ts";

/** The most bytes by which workerd's memory grows while `work` runs. */
export async function growth(server: Server, work: () => Promise<void>): Promise<number> {
  const before = await server.memory();
  let most = before;
  const timer = setInterval(async () => {
    most = Math.max(most, await server.memory());
  }, 100);
  await work();
  clearInterval(timer);
  return Math.max(most, await server.memory()) - before;
}
