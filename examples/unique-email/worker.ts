/** Users with unique email addresses: Sillok with two aggregates, and routes that send commands to both. */

import { isSillokError } from "sillok";
import { sillok } from "sillok/worker";
import { email } from "./email.ts";
import { user } from "./user.ts";
import { close, setEmail } from "./users.ts";

const app = sillok({ aggregates: [email, user] });

export type App = typeof app;
export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

/** The errors of a request with a wrong address or a wrong id. */
const OF_CALLERS = ["invalid_command", "invalid_stream_id"];

/** The id of the user in the path; undefined if a `%` in it is malformed. */
function userIn(url: string): string | undefined {
  try {
    return decodeURIComponent(new URL(url).pathname.slice("/users/".length));
  } catch {
    return undefined;
  }
}

/** The address in the body; undefined if the body is not JSON, or has no address. */
function addressIn(body: string): string | undefined {
  try {
    const { email } = JSON.parse(body);
    return typeof email === "string" ? email : undefined;
  } catch {
    return undefined;
  }
}

const invalid = (result: string, field?: string) =>
  Response.json({ result, field }, { status: 400 });

/** `PUT /users/{id}` with `{"email"}` sets the address. `GET` returns the user, and `DELETE` closes the user. */
async function answer({ method, url }: Request, body: string, env: unknown): Promise<Response> {
  const client = app.connect(env);
  const id = userIn(url);
  if (id === undefined) return invalid("invalid_request", "id");
  switch (method) {
    case "GET":
      return Response.json((await client.aggregate("user", id).state()).state);
    case "PUT": {
      const address = addressIn(body);
      if (address === undefined) return invalid("invalid_request", "email");
      const result = await setEmail(client, id, address);
      return Response.json({ result }, { status: result === "done" ? 200 : 409 });
    }
    case "DELETE":
      await close(client, id);
      return new Response(null, { status: 204 });
    default:
      return new Response(null, { status: 405 });
  }
}

export default {
  async fetch(request: Request, env: unknown, context: object): Promise<Response> {
    if (!new URL(request.url).pathname.startsWith("/users/")) {
      return app.fetch(request, env, context);
    }
    try {
      return await answer(request, await request.text(), env);
    } catch (error) {
      if (!isSillokError(error) || !OF_CALLERS.includes(error.code)) throw error;
      return invalid(error.code, error.field);
    }
  },
};
