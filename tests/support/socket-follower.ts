/** A client that follows a stream over a WebSocket. */

import { Waiting } from "./waiting.ts";

export class SocketFollower extends Waiting {
  readonly events: any[] = [];
  /** The code with which the connection was closed. It is set at the close. */
  closed: number | undefined;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.events.push(JSON.parse(data));
      this.changed();
    });
    socket.addEventListener("close", ({ code }) => {
      this.closed = code;
      this.changed();
    });
  }

  static async connect(url: URL, headers: Record<string, string> = {}): Promise<SocketFollower> {
    const address = new URL(url);
    address.protocol = "ws:";
    // Node's WebSocket accepts headers. A browser's does not.
    const options = { headers } as unknown as string[];
    const socket = new WebSocket(address, options);
    const follower = new SocketFollower(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error("the connection was refused")));
    });
    return follower;
  }

  get versions(): number[] {
    return this.events.map((event) => event.version);
  }

  say(text: string): void {
    this.#socket.send(text);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.until(({ closed }) => closed !== undefined);
  }
}
