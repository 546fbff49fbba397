/** A Worker of your own whose projection has its first version. */

import { projection, sillok } from "../../worker/index.ts";

type Counted = { type: "Counted"; data: { n: number } };

const sums = projection<Counted, number>("sums", {
  on: {
    Counted: ({ stream, data }, documents) =>
      documents.put(stream, (documents.get(stream) ?? 0) + data.n),
  },
});

const app = sillok({ projections: [sums] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
