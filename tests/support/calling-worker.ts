/** The Worker's objects, and a caller that sends them messages of another version's HTTP layer. */

export { Aggregate, Consumer, Journal } from "../../worker/entry.ts";

/** A call: the name of a binding, the name of an object, and the message. */
export interface Call {
  binding: "AGGREGATE" | "JOURNAL" | "CONSUMER";
  name: string;
  method: string;
  message: unknown;
}

/** The result of a call. */
export type Outcome = { reply: any } | { error: string; retryable: boolean };

type Stub = Record<string, (message: unknown) => Promise<unknown>>;

export default {
  async fetch(request: Request, env: Record<Call["binding"], DurableObjectNamespace>) {
    const { binding, name, method, message } = (await request.json()) as Call;
    const stub = env[binding].getByName(name) as unknown as Stub;
    try {
      return Response.json({ reply: await stub[method]!(message) });
    } catch (error) {
      const { retryable } = error as { retryable?: boolean };
      return Response.json({ error: String(error), retryable: retryable === true });
    }
  },
};
