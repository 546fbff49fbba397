// The reads of a reactor's handlers: the objects of the reactor's tenant answer them, without the network.

import type { AnyAggregate, LoadOptions } from "../js/ts/aggregate/aggregate-store.ts";
import { wantedState } from "../js/ts/aggregate/command-input.ts";
import { BOUND } from "../js/ts/client/client.ts";
import { RemoteAggregate } from "../js/ts/client/remote-aggregate.ts";
import type { ReactorContext } from "../js/ts/consumer/reactor.ts";
import { Http } from "../js/ts/remote/http.ts";
import { readRemote } from "../js/ts/remote/read.ts";

/** Answers a request of the Worker's own code. */
export type OwnFetch = (url: string, request: RequestInit) => Promise<Response>;

/** The part of a reactor's context that reads. */
export type Reads = Pick<ReactorContext, "read" | "load">;

/** The reads of a reactor's handlers, whose requests `fetch` answers. */
export function readsOf(fetch: OwnFetch): Reads {
  const http = new Http(BOUND, { fetch });
  return {
    read: (stream, options = {}) => readRemote(http, stream, options),
    async load(stream: string, aggregate: AnyAggregate, options: LoadOptions = {}): Promise<any> {
      wantedState(stream, aggregate, options);
      return new RemoteAggregate(http, stream).state(options);
    },
  };
}
