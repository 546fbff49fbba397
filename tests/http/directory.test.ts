/** GET /v1/streams: the directory. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assertProblem,
  freshStream,
  numbered,
  priceOf,
  streamPath,
  useApi,
} from "../support/api.ts";
import { feedOf } from "../support/feed.ts";

const names = ["account", "account-1", "account-10", "account-2", "b/ü 🦀", "order-1"];

for (const partitions of [1, 3]) {
  const vars = { SILLOK_AUTH: "off", JOURNAL_PARTITIONS: String(partitions) };
  const api = useApi({ vars }, async (api) => {
    for (const [place, name] of names.entries()) await api.appended(name, numbered(place + 1));
    await feedOf(api, 21);
  });
  const list = async (query = ""): Promise<string[]> => {
    const found: string[] = [];
    let path: string | null = `/v1/streams${query}`;
    while (path !== null) {
      const reply = await api.request(path);
      assert.equal(reply.status, 200, reply.text);
      found.push(...reply.json.streams.map(({ stream }: any) => stream));
      path = reply.json.next;
    }
    return found;
  };

  test(`${partitions} partitions: the streams in the order of their names`, async () => {
    const reply = await api.request("/v1/streams");
    assert.deepEqual(Object.keys(reply.json), ["streams", "next"]);
    assert.equal(reply.json.next, null);
    for (const [place, { stream, version, time }] of reply.json.streams.entries()) {
      assert.deepEqual([stream, version], [names[place], place + 1]);
      assert.equal(time, (await api.request(streamPath(stream))).json.time);
    }
    const price = priceOf(reply);
    assert.equal(price.written, 0);
    assert(price.read >= names.length, `${price.read}`);
  });

  test(`${partitions} partitions: by prefix and by category, page after page`, async () => {
    for (const limit of ["", "limit=1", "limit=2", "limit=4"]) {
      const of = (query: string) => list(`?${query}&${limit}`.replace(/&$/, ""));
      assert.deepEqual(await of("prefix="), names);
      assert.deepEqual(await of("prefix=account-1"), ["account-1", "account-10"]);
      assert.deepEqual(await of("category=account"), names.slice(0, 4));
      assert.deepEqual(await of("category=account&prefix=account-"), names.slice(1, 4));
      assert.deepEqual(await of("after=account-2"), names.slice(4));
      assert.deepEqual(await of("prefix=nothing"), []);
    }
  });

  test(`${partitions} partitions: a deleted stream is not listed`, async () => {
    const stream = freshStream("deleted");
    await api.appended(stream, numbered(1));
    while (!(await list()).includes(stream));
    assert.equal((await api.request(streamPath(stream), { method: "DELETE" })).status, 204);
    while ((await list()).includes(stream));
  });

  test(`${partitions} partitions: what is no part of the directory is refused by name`, async () => {
    for (const [query, code, field] of [
      ["?limit=x", "invalid_parameter", "limit"],
      ["?limit=1001", "page_too_large", "limit"],
      ["?category=", "invalid_category", "category"],
      ["?from=1", "invalid_parameter", "from"],
      ["?prefix=a&prefix=b", "invalid_parameter", "prefix"],
    ] as const) {
      assertProblem(await api.request(`/v1/streams${query}`), 400, code, field);
    }
    assert.deepEqual((await api.request("/v1/streams?limit=0")).json, { streams: [], next: null });
    const posted = await api.request("/v1/streams", { method: "POST" });
    assertProblem(posted, 405, "method_not_allowed");
    const head = await api.request("/v1/streams", { method: "HEAD" });
    assert.deepEqual([head.status, head.text], [200, ""]);
  });
}
