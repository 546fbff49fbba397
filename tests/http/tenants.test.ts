/** No request of one tenant changes or returns another tenant's data. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { useApi } from "../support/api.ts";
import { wholeFeed } from "../support/feed.ts";
import { Seeded } from "../support/seeded.ts";
import { sign } from "../support/token.ts";

const SECRET = "a secret of the tests, of more than 32 bytes";
const entry = fileURLToPath(new URL("../support/own-worker.ts", import.meta.url));
const api = useApi({ entry, vars: { SILLOK_SECRET: SECRET } });

/** The number of requests of each of the two tenants. */
const REQUESTS = 1000;
/** The number of simultaneous requests. */
const AT_ONCE = 8;

/** A tenant, and a text that is in all of its data. */
class Tenant {
  readonly name: string | undefined;
  readonly mark = randomUUID().replaceAll("-", "");
  readonly secret = `whsec_${Buffer.from(this.mark).toString("base64")}`;
  readonly headers: Record<string, string>;

  constructor(name?: string) {
    this.name = name;
    this.headers = { Authorization: `Bearer ${sign({ scope: "admin", tenant: name }, SECRET)}` };
  }

  /** Creates streams, documents, dead letters and a webhook for the tenant. */
  async settle(): Promise<void> {
    const event = (n: number) => ({ type: "Counted", data: { n, mark: this.mark } });
    await api.appended("count-1", [event(1), event(13), event(2)], this.headers);
    await api.appended(`count-${this.mark}`, [event(1)], this.headers);
    await api.appended("secret-1", [{ type: "Kept", data: this.mark }], this.headers);
    const url = `https://example.invalid/${this.mark}`;
    const webhook = { kind: "webhook", url, secret: this.secret, category: "nothing" };
    const init = { method: "PUT", headers: this.headers, body: JSON.stringify(webhook) };
    assert.equal((await api.request("/v1/consumers/spy", init)).status, 200);
  }

  /** Waits until a consumer has handled everything. */
  async #isQuiet(name: string): Promise<void> {
    for (const end = Date.now() + 60_000; ; await sleep(20)) {
      const { lag, retryAt } = (await this.get(`consumers/${name}`)).json;
      if (lag === 0 && retryAt === null) return;
      assert(Date.now() < end, `${name} is not quiet`);
    }
  }

  get(path: string) {
    return api.request(`/v1/${path}`, { headers: this.headers });
  }

  /** All data of the tenant. A consumer that has just started looks again at the events that it had skipped. */
  async everything(): Promise<unknown> {
    for (const name of ["sums", "notes", "spy"]) await this.#isQuiet(name);
    const [letters, documents] = ["consumers/sums/dead-letters", "projections/sums/documents"];
    const found = [];
    for (const path of ["streams", "consumers", letters, documents]) {
      const reply = await this.get(path);
      assert.equal(reply.status, 200, reply.text);
      // The time of the last failure may be later, because the event was handled again.
      for (const consumer of reply.json.consumers ?? []) delete consumer.lastError;
      found.push(reply.json);
    }
    const { partitions } = (await this.get("journal")).json;
    const journal = partitions.map(({ end, consumers }: any) => ({ end, consumers }));
    return { found, journal, feed: await wholeFeed(api, "", this.headers) };
  }
}

const SEPARATORS =
  "%1F %00 %7F %0A %0D %2F / %2E%2E .. %251F %C2%9F %E2%90%9F %EF%BF%BD %5C : %40 %20 %FF %".split(
    " ",
  );
const NAMES = ["acme", "default", "count-1", "secret-1", "sums", "notes", "spy", "0", "1", "*", ""];
const PATHS = [
  ["GET HEAD DELETE", "streams/*"],
  ["GET HEAD POST", "streams/*/events"],
  ["GET", "streams/*/verify"],
  ["GET", "streams/*/commits"],
  ["POST", "streams/*/truncate"],
  ["GET DELETE", "consumers/*"],
  ["POST", "consumers/*/pause"],
  ["POST", "consumers/*/resume"],
  ["POST", "consumers/*/retry"],
  ["POST", "consumers/*/rebuild"],
  ["GET DELETE", "consumers/*/dead-letters"],
  ["DELETE", "consumers/*/dead-letters/*"],
  ["GET", "projections/*/documents"],
  ["GET", "projections/*/documents/*"],
  ["GET", "streams?prefix=*"],
  ["GET", "streams?after=*"],
  ["GET", "events?category=*"],
  ["GET", "events?after=*"],
  ["GET", "projections/sums/documents?prefix=*"],
  ["GET", "projections/sums/documents?after=*"],
  ["GET", "projections/sums/documents/count-1?min=acme*%1F*@1"],
  ["PUT", "consumers/*"],
] as const;
const HEADERS: Record<string, string>[] = [
  {},
  {},
  { "X-Tenant": "acme", "X-Forwarded-Host": "acme" },
  { "Last-Event-ID": "acme", "Idempotency-Key": "acme" },
  { "If-None-Match": "*" },
  { Cookie: "tenant=acme" },
];
const BODIES = ['{"type":"Counted","data":{"n":1}}', '{"before":2}', "[]"];
const WEBHOOK = '{"kind":"webhook","url":"https://example.invalid/","category":"nothing"}';

/** A request of an attacker who looks for another tenant's data. */
function hostile(chance: Seeded): [path: string, init: RequestInit] {
  const [methods, template] = chance.pick(PATHS);
  const name = () =>
    // Names such as `acme%1Fspy`, and others that could be mistaken for such a name.
    chance.pick([
      () => chance.pick(NAMES),
      () => ["acme", chance.pick(["%1F", "%00", "%7F", "%0A"]), chance.pick(NAMES)].join(""),
      () => [chance.pick(NAMES), chance.pick(SEPARATORS), chance.pick(NAMES)].join(""),
      () => chance.several([...NAMES, ...SEPARATORS], 1, 4).join(""),
    ])();
  const method = chance.pick(methods.split(" "));
  const body = method === "PUT" ? WEBHOOK : method === "POST" ? chance.pick(BODIES) : undefined;
  const headers = chance.pick(HEADERS);
  return [`/v1/${template.replaceAll("*", name)}`, { method, headers, ...(body && { body }) }];
}

/** Sends this number of such requests as `one`, and checks that no answer has data of `other`. */
async function attack(one: Tenant, other: Tenant, chance: Seeded): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  let left = REQUESTS;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const [path, init] = hostile(chance);
      const headers = { ...(init.headers as Record<string, string>), ...one.headers };
      const reply = await api.request(path, { ...init, headers });
      const said = `${reply.text} ${[...reply.headers].join(" ")}`;
      assert(!said.includes(other.mark) && !said.includes(other.secret), `${init.method} ${path}`);
      assert(reply.status < 500 || reply.status === 503, `${init.method} ${path}: ${reply.text}`);
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return statuses;
}

test("no request of one tenant changes or returns another tenant's data", async () => {
  const chance = new Seeded();
  console.log(`seed ${chance.seed}: 2 × ${REQUESTS} requests`);
  const [standard, acme, beta] = [new Tenant(), new Tenant("acme"), new Tenant("beta")];
  // The attacked tenant has sent no requests, so its data must not change.
  for (const [one, other] of [
    [beta, standard],
    [standard, acme],
  ] as const) {
    await other.settle();
    const before = await other.everything();
    assert(JSON.stringify(before).includes(other.mark), "there is something to be found");
    const statuses = await attack(one, other, chance);
    assert.deepEqual(await other.everything(), before, `seed ${chance.seed}`);
    // Some requests have found the attacker's own data.
    for (const status of [200, 400, 404]) assert((statuses.get(status) ?? 0) > 10, `${status}`);
  }
});
