/**
 * A Sillok server for tests: the built Worker in real workerd, with the configuration of wrangler.toml, on a free port.
 */

import { subscribe } from "node:diagnostics_channel";
import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { build, type Plugin } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

// The log level of wrangler. It is read when wrangler is loaded.
process.env["WRANGLER_LOG"] ??= "error";
process.env["WRANGLER_SEND_METRICS"] ??= "false";
const { unstable_getMiniflareWorkerOptions: workerOptionsOf } = await import("wrangler");

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** The sources of the previous version and its built Worker. `cargo xtask build --previous` writes them there. */
const PREVIOUS = join(ROOT, "target/previous");
const NAME = "sillok";
const BESIDE = "beside";

type Fetcher = Awaited<ReturnType<Miniflare["getWorker"]>>;
type D1Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

/** The versions of the HTTP layer and of the objects of each class. */
export type Versions = Record<"gateway" | "Aggregate" | "Journal" | "Consumer", Version>;
export type Version = "previous" | "current";

export interface ServerOptions {
  /** The Worker's variables and secrets, in place of `SILLOK_AUTH=off`. */
  vars?: Record<string, string>;
  /** The folder of the data. The default is a new folder that `stop` removes. */
  persist?: string;
  /** Another configuration than the project's wrangler.toml. */
  config?: string;
  /** Another entry than the configuration's. */
  entry?: string;
  /** Another Worker, which calls this one over a service binding. */
  beside?: { config: string; entry: string };
  /** Receives each line of the Worker's log. */
  log?: (line: string) => void;
  /** The binding of a queue whose messages the Worker consumes itself. */
  queue?: string;
  /** Runs two versions of the Worker, as during a gradual deployment. */
  versions?: Versions;
}

export interface Server {
  /** The root URL of the server. `restart` changes it. */
  readonly url: URL;
  /** Ends the server, and removes its data unless `persist` was given. */
  stop(): Promise<void>;
  /**
   * Starts the server again on the same data: after `kill`, or in place of the running server. `changes` replaces options.
   */
  restart(changes?: Pick<ServerOptions, "vars" | "versions" | "config" | "entry">): Promise<void>;
  /** Kills workerd at once by SIGKILL. */
  kill(): Promise<void>;
  /** Removes an object from memory, as the runtime does with an idle object. The default class is the streams'. */
  evict(object: string, className?: string): Promise<void>;
  /** The present memory of workerd, in bytes. */
  memory(): Promise<number>;
  /** The processor time of workerd so far, in seconds. It does not depend on other programs. */
  busy(): Promise<number>;
  /** The other Worker. */
  beside(): Promise<Fetcher>;
  /** A D1 database of the other Worker; of this one, if there is no other. */
  database(binding: string): Promise<D1Database>;
  /**
   * Runs a statement in the database of one object, for changes that no request can make. If it changes the end of a stream,
   * evict the object, because the object remembers its end.
   */
  sql(
    object: string,
    statement: string,
    ...values: (string | number)[]
  ): Promise<Record<string, unknown>[]>;
}

/** Starts the Worker, which must be built. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const folder = options.persist ?? (await mkdtemp(join(tmpdir(), "sillok-")));
  let runtime = await Runtime.start(folder, options);
  return {
    get url() {
      return runtime.url;
    },
    async stop() {
      await runtime.miniflare.dispose();
      if (options.persist === undefined) await rm(folder, { recursive: true, force: true });
    },
    async restart(changes) {
      await runtime.miniflare.dispose();
      runtime = await Runtime.start(folder, { ...options, ...changes });
    },
    async kill() {
      await runtime.kill();
    },
    memory() {
      return runtime.memory();
    },
    busy() {
      return runtime.busy();
    },
    async evict(object, className = "Aggregate") {
      await runtime.miniflare.unsafeEvictDurableObject(NAME, className, { name: object });
    },
    beside() {
      return runtime.miniflare.getWorker(BESIDE);
    },
    database(binding) {
      return runtime.miniflare.getD1Database(binding, options.beside === undefined ? NAME : BESIDE);
    },
    async sql(object, statement, ...values) {
      const storage = await runtime.miniflare.unsafeGetDurableObjectStorage(NAME, "Aggregate", {
        name: object,
      });
      return storage.exec(statement, ...values);
    },
  };
}

/** One workerd process, and its Miniflare. */
class Runtime {
  readonly miniflare: Miniflare;
  readonly url: URL;
  readonly #workerd: ChildProcess;

  constructor(miniflare: Miniflare, url: URL, workerd: ChildProcess) {
    this.miniflare = miniflare;
    this.url = url;
    this.#workerd = workerd;
  }

  /** Starts one runtime after the other, so that each knows its own workerd process. */
  static start(folder: string, options: ServerOptions): Promise<Runtime> {
    const runtime = Runtime.#last.then(() => Runtime.#start(folder, options));
    Runtime.#last = runtime.catch(() => undefined);
    return runtime;
  }

  static #last: Promise<unknown> = Promise.resolve();

  static async #start(folder: string, options: ServerOptions): Promise<Runtime> {
    const config = options.config ?? join(ROOT, "wrangler.toml");
    const { workerOptions, main = "" } = workerOptionsOf(config);
    const entry = options.entry ?? resolve(dirname(config), main);
    const queue = options.queue && {
      queueProducers: { [options.queue]: "queue" },
      queueConsumers: { queue: { maxBatchTimeout: 0 } },
    };
    const bindings = options.vars ?? { SILLOK_AUTH: "off" };
    const beside = options.beside === undefined ? [] : [await workerBeside(options.beside)];
    const workers =
      options.versions === undefined
        ? [{ ...workerOptions, ...queue, name: NAME, bindings, modules: await modulesOf(entry) }]
        : await workersOf(options.versions, entry, bindings);
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        port: 0,
        // Without this, it asks a server of Cloudflare for its location.
        cf: false,
        log: new Log(LogLevel.ERROR),
        // The Worker logs the errors that tests provoke.
        handleStructuredLogs: ({ message }) => options.log?.(message),
        resourcePersistencePath: folder,
        unsafeInspectDurableObjects: true,
        workers: [...workers, ...beside],
      }),
    );
    const [url, workerd] = await Promise.all([miniflare.ready, nextProcess()]);
    return new Runtime(miniflare, url, workerd);
  }

  async memory(): Promise<number> {
    const { stdout } = await promisify(execFile)("ps", [
      "-o",
      "rss=",
      "-p",
      `${this.#workerd.pid}`,
    ]);
    return Number(stdout) * 1024;
  }

  async busy(): Promise<number> {
    const stat = await readFile(`/proc/${this.#workerd.pid}/stat`, "utf8");
    // The 12th and 13th field after the program's name, which may contain any character. The unit is a hundredth of a second.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async kill(): Promise<void> {
    const exit = once(this.#workerd, "exit");
    this.#workerd.kill("SIGKILL");
    await exit;
    // Otherwise Miniflare would start another process.
    await this.miniflare.dispose();
  }
}

async function workerBeside({ config, entry }: { config: string; entry: string }) {
  const { workerOptions } = workerOptionsOf(config);
  return { ...workerOptions, name: BESIDE, modules: await modulesOf(entry) };
}

/** The Worker of each version. All objects of a class have one version, and both versions have the same storage. */
async function workersOf(versions: Versions, entry: string, bindings: Record<string, string>) {
  const worker = async (version: Version) => {
    const root = version === "previous" ? PREVIOUS : ROOT;
    const { workerOptions } = workerOptionsOf(join(root, "wrangler.toml"));
    const objects = Object.entries(workerOptions.durableObjects ?? {}).map(([binding, object]) => {
      const { className } = object as { className: Exclude<keyof Versions, "gateway"> };
      const where = { scriptName: versions[className], unsafeUniqueKey: `${NAME}-${className}` };
      return [binding, { className, useSQLite: true, ...where }] as const;
    });
    const modules = await modulesOf(entry, join(root, "worker/index.ts"));
    const durableObjects = Object.fromEntries(objects);
    return { ...workerOptions, name: version, bindings, durableObjects, modules };
  };
  // The first Worker answers requests.
  const others = { previous: "current", current: "previous" } as const;
  return Promise.all([versions.gateway, others[versions.gateway]].map(worker));
}

/**
 * The Worker's modules, bundled from its entry as wrangler does it. Wasm stays a module of its own. `sillok` is the file that
 * replaces `worker/index.ts`.
 */
async function modulesOf(entry: string, sillok?: string) {
  const wasm = new Map<string, string>();
  const wasmModules: Plugin = {
    name: "wasm-modules",
    setup({ onResolve }) {
      if (sillok !== undefined)
        onResolve({ filter: /\/worker\/index\.ts$/ }, () => ({ path: sillok }));
      onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
        wasm.set(basename(path), resolve(resolveDir, path));
        return { path: `./${basename(path)}`, external: true };
      });
    },
  };
  const bundle = await build({
    entryPoints: [entry],
    bundle: true,
    conditions: ["workerd"],
    external: ["cloudflare:*"],
    format: "esm",
    plugins: [wasmModules],
    target: "es2024",
    write: false,
  });
  const contents = bundle.outputFiles[0]?.text ?? "";
  const compiled = [...wasm].map(async ([path, file]) => ({
    type: "CompiledWasm" as const,
    path,
    contents: await readFile(file),
  }));
  const main = { type: "ESModule" as const, path: "entry.js", contents };
  return [main, ...(await Promise.all(compiled))];
}

/** The next workerd that this process starts. Miniflare does not publish its process. */
function nextProcess(): Promise<ChildProcess> {
  return new Promise((resolve) => waiting.push(resolve));
}

const waiting: ((workerd: ChildProcess) => void)[] = [];

subscribe("child_process", (message) => {
  const { process: child } = message as { process: ChildProcess };
  // The name of the process is known only after it runs.
  child.once("spawn", () => {
    if (child.spawnfile.includes("workerd")) waiting.shift()?.(child);
  });
});
