// An npm registry on this machine. It has the two packed packages, and every package that is installed in this repository. So
// a test types the commands of a user, and needs no network.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/** A version of a package: its package.json, and its place, which is a folder or a tarball. */
interface Published {
  readonly manifest: Manifest;
  readonly place: string;
}

/** The versions of every package, by the name of the package. */
type Packages = Map<string, Map<string, Published>>;

export class Registry {
  readonly #server: Server;
  readonly #packages: Packages;
  /** The paths that were asked for, and that the registry does not have. */
  readonly missing: string[] = [];

  private constructor(packages: Packages) {
    this.#packages = packages;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Starts a registry with these tarballs. */
  static async start(...tarballs: string[]): Promise<Registry> {
    const packages: Packages = new Map();
    for (const tarball of tarballs) publish(packages, await packed(tarball));
    for (const place of installed()) publish(packages, place);
    const registry = new Registry(packages);
    registry.#server.listen(0, "127.0.0.1");
    await once(registry.#server, "listening");
    return registry;
  }

  get url(): string {
    const address = this.#server.address();
    assert(address !== null && typeof address === "object");
    return `http://127.0.0.1:${address.port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer({ url = "/" }: IncomingMessage, response: ServerResponse): Promise<void> {
    const [name = "", version] = decodeURIComponent(url).slice(1).split("/-/");
    const versions = this.#packages.get(name);
    const file = versions?.get(version ?? "");
    if (file !== undefined) return send(file.place, response);
    if (versions === undefined) this.missing.push(name);
    response.writeHead(versions === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(versions === undefined ? {} : this.#document(name, versions)));
  }

  #document(name: string, versions: ReadonlyMap<string, Published>): object {
    const entries = [...versions].map(([version, { manifest }]) => [
      version,
      { ...manifest, dist: { tarball: `${this.url}/${name}/-/${version}` } },
    ]);
    // The first one is the one that the repository itself uses.
    const [latest] = versions.keys();
    return { name, "dist-tags": { latest }, versions: Object.fromEntries(entries) };
  }
}

/** Sends a tarball, or packs a folder. npm takes a tarball without compression too. */
async function send(place: string, response: ServerResponse): Promise<void> {
  if (place.endsWith(".tgz")) return pipeline(createReadStream(place), response);
  const name = basename(place);
  const args = ["-c", `--exclude=${name}/node_modules`, "-C", dirname(place), name];
  return pipeline(spawn("tar", args, { stdio: ["ignore", "pipe", "inherit"] }).stdout, response);
}

function publish(packages: Packages, published: Published): void {
  const { name, version } = published.manifest;
  const versions = packages.get(name) ?? new Map<string, Published>();
  if (!versions.has(version)) packages.set(name, versions.set(version, published));
}

async function packed(tarball: string): Promise<Published> {
  const { stdout } = await promisify(execFile)("tar", ["-xzOf", tarball, "package/package.json"]);
  return { manifest: JSON.parse(stdout) as Manifest, place: tarball };
}

/** The packages that are installed in this repository. A package for another operating system is not. */
function installed(): Published[] {
  const read = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
  const { packages } = read("package-lock.json") as {
    packages: Record<string, { link?: boolean }>;
  };
  return Object.entries(packages)
    .filter(([path, { link }]) => path.startsWith("node_modules/") && link !== true)
    .filter(([path]) => existsSync(join(root, path, "package.json")))
    .map(([path]) => ({ manifest: read(`${path}/package.json`), place: join(root, path) }));
}
