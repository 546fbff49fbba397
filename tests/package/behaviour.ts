// The behaviour of the package on every platform: the contract of every store, and the behaviour of these stores alone. The
// same code runs in Node (in memory, on a file and on a server), in Chromium, workerd, Deno, Bun and Vercel's edge runtime.

import type { OpenAnother, OpenStore } from "sillok/testing";
import { decidingAgain } from "./behaviour-again.ts";
import { aggregating } from "./behaviour-aggregate.ts";
import { commanding } from "./behaviour-commands.ts";
import { consuming } from "./behaviour-consume.ts";
import { defining } from "./behaviour-define.ts";
import { exporting } from "./behaviour-export.ts";
import { failing } from "./behaviour-faults.ts";
import { flying } from "./behaviour-flights.ts";
import { gatewaying } from "./behaviour-gateway.ts";
import { local } from "./behaviour-local.ts";
import { pending } from "./behaviour-pending.ts";
import { reacting } from "./behaviour-react.ts";
import { readingInReactors } from "./behaviour-reads.ts";
import { refusing } from "./behaviour-refuse.ts";
import { sending } from "./behaviour-send.ts";
import { loading } from "./behaviour-states.ts";
import { takingTurns } from "./behaviour-turns.ts";
import { tutorial } from "./behaviour-tutorial.ts";
import { unsettled } from "./behaviour-unsettled.ts";
import { values } from "./behaviour-values.ts";
import { same, thrown } from "./check.ts";
import { freshToken } from "./tenant.ts";

export type Sillok = typeof import("sillok");
export type Testing = typeof import("sillok/testing");

/** The name of a behaviour, and a function that throws if the behaviour is wrong. */
export type Behaviours = Record<string, (sillok: Sillok) => void | Promise<void>>;

/** The behaviour of the package's stores beside the contract. */
export const behaviours: Behaviours = {
  ...values,
  ...refusing,
  ...exporting,
  ...local,
  ...aggregating,
  ...commanding,
  ...failing,
  ...loading,
  ...flying,
  ...defining,
  ...consuming,
  ...reacting,
  ...readingInReactors,
  ...decidingAgain,
  ...sending,
  ...gatewaying,
  ...pending,
  ...unsettled,
  ...takingTurns,
  ...tutorial,
};

const withoutFiles: Behaviours = {
  "where there are no files, opening one is refused"({ EventStore, isSillokError }) {
    const refused = thrown(() => EventStore.open("bank.db"));
    same(isSillokError(refused) && refused.code, "unsupported_platform");
  },
};

/** A server that accepts tokens which are signed with the secret. */
interface Remote {
  readonly url: string;
  readonly secret: string;
}

/** Opens stores on a server, each in its own name space. */
export function remoteStores({ EventStore }: Sillok, { url, secret }: Remote): OpenStore {
  return async () => EventStore.connect(url, { token: await freshToken(secret) });
}

/** Opens stores in a folder, each on its own file, and another store on the file of one of them. */
function fileStores({ EventStore }: Sillok, folder: string): [OpenStore, OpenAnother] {
  const paths = new WeakMap<object, string>();
  let files = 0;
  const open = () => {
    const path = `${folder}/${(files += 1)}.db`;
    const store = EventStore.open(path);
    paths.set(store, path);
    return store;
  };
  return [open, (store) => EventStore.open(paths.get(store) ?? "")];
}

/**
 * Runs all behaviours. The contract also runs on a server if one is given, and on files if a folder is given. Without a folder,
 * the platform has no files. Returns the error of each failed behaviour. `ran` is the number of behaviours.
 */
export async function failures(
  sillok: Sillok,
  { storeContract }: Testing,
  remote?: Remote,
  folder?: string,
): Promise<{ failed: string[]; ran: number }> {
  const runs: [string, () => unknown][] = [];
  const here = folder === undefined ? { ...behaviours, ...withoutFiles } : behaviours;
  for (const [name, run] of Object.entries(here)) runs.push([name, () => run(sillok)]);
  const places: [string, OpenStore, OpenAnother?][] = [
    ["in memory", () => new sillok.EventStore()],
  ];
  if (folder !== undefined) places.push(["on a file", ...fileStores(sillok, folder)]);
  if (remote !== undefined) places.push(["on a server", remoteStores(sillok, remote)]);
  for (const [place, open, another] of places) {
    for (const { name, run } of storeContract(open, another)) runs.push([`${place}: ${name}`, run]);
  }
  const failed: string[] = [];
  for (const [name, run] of runs) {
    try {
      await run();
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { failed, ran: runs.length };
}
