// Serves the files of a folder, under a content security policy as strict as the package allows.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};
const POLICY = "default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'";

export interface StaticServer {
  readonly url: string;
  stop(): void;
}

/** Serves pages, which may connect to `origin`. */
export async function serve(folder: string, origin?: string): Promise<StaticServer> {
  const policy = origin === undefined ? POLICY : `${POLICY}; connect-src ${origin}`;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = join(
      folder,
      normalize(pathname.endsWith("/") ? `${pathname}index.html` : pathname),
    );
    readFile(path).then(
      (bytes) => {
        const type = TYPES[extname(path)] ?? "application/octet-stream";
        const headers = { "Content-Type": type, "Content-Security-Policy": policy };
        response.writeHead(200, headers).end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
