/** Events of several schema versions, shown by the upcasts of an aggregate in Rust. The plain Worker has stored the events. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertProblem, useApi } from "../support/api.ts";
import { feedOf } from "../support/feed.ts";

const config = fileURLToPath(new URL("../crashes/wrangler.toml", import.meta.url));
const STORED = [
  `{"type":"Added","data":1,"metadata":{"n":1e400}}`,
  `{"type":"Added","schemaVersion":2,"data":{ "n" : 2 }}`,
  `{"type":"Labelled","schemaVersion":7,"data":[1e400, {}]}`,
];

const api = useApi({}, async (api) => {
  for (const event of STORED) await api.appended("tally-1", event);
  await feedOf(api, 3);
  await api.appended("order-1", `{"type":"Added","data": 1}`);
  await feedOf(api, 4);
  await api.appended("tally-2", { type: "Added", data: "one" });
  await feedOf(api, 5);
  await api.appended("tally-3", { type: "Added", schemaVersion: 3, data: 1 });
  await feedOf(api, 6);
  await api.server.restart({ config });
});

test("the upcast feed shows the newest version of each event, and changes nothing else", async () => {
  const query = "/v1/events?limit=4";
  const stored = (await api.request(query)).text;
  const shown = await api.request(`${query}&upcast=true`);
  const expected = stored
    .replace('"type":"Added",', '"type":"Added","schemaVersion":2,')
    .replace('"data":1,', '"data":{"n":1},')
    .replace("limit=4", "limit=4&upcast=true");
  assert.equal(shown.text, expected);
  assert.equal((await api.request(query)).text, stored);
});

test("an event of newer code, and an upcast that fails, are errors that name the event", async () => {
  const { events } = (await api.request("/v1/events?limit=5")).json;
  const after = (place: number) =>
    api.request(`/v1/events?upcast=true&limit=1&after=${events[place].checkpoint}`);
  const failed = assertProblem(await after(3), 500, "decider_failed");
  for (const name of ["version 1 of stream tally-2", "Added"])
    assert.ok(failed.detail.includes(name));
  const newer = assertProblem(await after(4), 500, "event_too_new");
  for (const name of ["version 1 of stream tally-3", "Added", "3"]) {
    assert.ok(newer.detail.includes(name), newer.detail);
  }
});
