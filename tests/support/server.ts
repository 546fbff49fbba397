/** A Sillok of one's own: the built Worker in real workerd, configured by wrangler.toml, on a free port. */

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

// wrangler says what it reads. Set before wrangler is loaded.
process.env["WRANGLER_LOG"] ??= "error";
process.env["WRANGLER_SEND_METRICS"] ??= "false";
const { unstable_getMiniflareWorkerOptions: workerOptionsOf } = await import("wrangler");

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** The sources of the previous version, with its built Worker: `cargo xtask build --previous` puts it there. */
const PREVIOUS = join(ROOT, "target/previous");
const NAME = "sillok";
const BESIDE = "beside";

type Fetcher = Awaited<ReturnType<Miniflare["getWorker"]>>;
type D1Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

/** Of which version the gateway is, and the objects of each class. */
export type Versions = Record<"gateway" | "Aggregate" | "Journal" | "Consumer", Version>;
export type Version = "previous" | "current";

export interface ServerOptions {
  /** The Worker's variables and secrets, instead of `SILLOK_AUTH=off`. */
  vars?: Record<string, string>;
  /** Where the data is kept; without it in a new folder that `stop` removes. */
  persist?: string;
  /** Another configuration than the project's wrangler.toml. */
  config?: string;
  /** Another entry than the configuration's. */
  entry?: string;
  /** Another Worker, which reaches this one by a service binding. */
  beside?: { config: string; entry: string };
  /** The binding of a queue whose messages the Worker takes itself. */
  queue?: string;
  /** Runs two versions of the Worker in place of one, as during a gradual deployment. */
  versions?: Versions;
}

export interface Server {
  /** The server's root. `restart` changes it. */
  readonly url: URL;
  /** Ends the server and removes its data, unless `persist` was given. */
  stop(): Promise<void>;
  /** Starts the server again on the same data, after `kill` or in place of the running one; changed where it is said. */
  restart(changes?: Pick<ServerOptions, "vars" | "versions">): Promise<void>;
  /** Ends workerd at once by SIGKILL, whatever it is doing. */
  kill(): Promise<void>;
  /** Puts one object out of memory, as the runtime does with one that is idle: a stream's, or one of another class. */
  evict(object: string, className?: string): Promise<void>;
  /** The memory that workerd takes at the moment, in bytes. */
  memory(): Promise<number>;
  /** How long workerd has kept the processor busy so far, in seconds: it does not change with what else is running. */
  busy(): Promise<number>;
  /** The Worker beside it. */
  beside(): Promise<Fetcher>;
  /** A D1 database of the Worker beside it. */
  database(binding: string): Promise<D1Database>;
  /**
   * Runs a statement in the database of one object: what no request can do. Where it alters where the stream ends, evict
   * the object: it remembers that.
   */
  sql(
    object: string,
    statement: string,
    ...values: (string | number)[]
  ): Promise<Record<string, unknown>[]>;
}

/** Starts the Worker, which must have been built. */
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
      return runtime.miniflare.getD1Database(binding, BESIDE);
    },
    async sql(object, statement, ...values) {
      const storage = await runtime.miniflare.unsafeGetDurableObjectStorage(NAME, "Aggregate", {
        name: object,
      });
      return storage.exec(statement, ...values);
    },
  };
}

/** One workerd, and Miniflare which feeds it. */
class Runtime {
  readonly miniflare: Miniflare;
  readonly url: URL;
  readonly #workerd: ChildProcess;

  constructor(miniflare: Miniflare, url: URL, workerd: ChildProcess) {
    this.miniflare = miniflare;
    this.url = url;
    this.#workerd = workerd;
  }

  /** One start after the other, so that each knows which workerd is its own. */
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
        // Without this it asks a server of Cloudflare's where it is.
        cf: false,
        log: new Log(LogLevel.ERROR),
        // What the Worker logs about the errors that tests provoke.
        handleStructuredLogs: () => undefined,
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
    // Behind the program's name, which may hold anything: the 12th and 13th field, in hundredths of a second.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async kill(): Promise<void> {
    const exit = once(this.#workerd, "exit");
    this.#workerd.kill("SIGKILL");
    await exit;
    // Miniflare would start another.
    await this.miniflare.dispose();
  }
}

async function workerBeside({ config, entry }: { config: string; entry: string }) {
  const { workerOptions } = workerOptionsOf(config);
  return { ...workerOptions, name: BESIDE, modules: await modulesOf(entry) };
}

/** The Worker of each version. The objects of a class are of one version, and their storage is the same for both. */
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
  // The first one answers requests.
  const others = { previous: "current", current: "previous" } as const;
  return Promise.all([versions.gateway, others[versions.gateway]].map(worker));
}

/**
 * The Worker's modules, bundled from its entry as wrangler bundles them: what is wasm stays a module of its own. `sillok` is
 * the file that the entry has for `worker/index.ts`.
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

/** The next workerd that this process starts. Miniflare keeps it to itself. */
function nextProcess(): Promise<ChildProcess> {
  return new Promise((resolve) => waiting.push(resolve));
}

const waiting: ((workerd: ChildProcess) => void)[] = [];

subscribe("child_process", (message) => {
  const { process: child } = message as { process: ChildProcess };
  // Its name is not known before it runs.
  child.once("spawn", () => {
    if (child.spawnfile.includes("workerd")) waiting.shift()?.(child);
  });
});
