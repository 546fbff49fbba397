/** Users with unique email addresses: Sillok with two aggregates, and routes that send commands to both. */

import { isSillokError } from "sillok";
import { sillok } from "sillok/worker";
import { email } from "./email.ts";
import { user } from "./user.ts";
import { close, setEmail } from "./users.ts";

const app = sillok({ aggregates: [email, user] });

export type App = typeof app;
export const { Aggregate, Journal, Consumer } = app.objects;

/** `PUT /users/{id}` with `{"email"}` sets the address. `GET` returns the user, and `DELETE` closes the user. */
async function answer({ method, url }: Request, body: string, env: unknown): Promise<Response> {
  const client = app.connect(env);
  const id = decodeURIComponent(new URL(url).pathname.slice("/users/".length));
  switch (method) {
    case "GET":
      return Response.json((await client.aggregate("user", id).state()).state);
    case "PUT": {
      const result = await setEmail(client, id, JSON.parse(body).email);
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
      if (!isSillokError(error) || error.code !== "invalid_command") throw error;
      return Response.json({ result: error.code, field: error.field }, { status: 400 });
    }
  },
};
