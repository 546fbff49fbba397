/** The Worker of in-euro-worker.ts after a deployment: the documents of its projection have another unit. */

import { projection, sillok } from "../../worker/index.ts";

type Counted = { type: "Counted"; data: { n: number } };

const sums = projection<Counted, number>("sums", {
  version: 2,
  on: {
    Counted: ({ stream, data }, documents) =>
      documents.put(stream, (documents.get(stream) ?? 0) + 100 * data.n),
  },
});

const app = sillok({ projections: [sums] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
