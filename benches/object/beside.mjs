// Measures servers beside one another: they take turns in several rounds. Prints the medians of the elapsed time and of workerd's
// processor time. The processor time does not depend on other programs. The sender of the requests is on the same machine, and
// takes the same share of the time from all.
import { setTimeout as sleep } from "node:timers/promises";

/** Sends a request, and fails unless the answer has this status. */
export async function answered(url, status, init) {
  const response = await fetch(url, init);
  const text = await response.text();
  if (response.status !== status) throw new Error(`${response.status}: ${text}`);
  return text;
}

/** Does something so often, by so many senders at once. */
export async function repeat(count, senders, send) {
  let left = count;
  const sender = async () => {
    while (left-- > 0) await send();
  };
  await Promise.all(Array.from({ length: senders }, sender));
}

/**
 * Measures the two servers `by hand` and `sillok`, and stops them. A work has the number of things that it does, an optional
 * preparation, and the work itself. Both get the address of a server and the number of the round.
 */
export async function compare(servers, works, rounds) {
  const times = new Map();
  for (let round = 0; round <= rounds; round += 1) {
    const names = Object.keys(servers);
    if (round % 2 === 1) names.reverse();
    for (const [work, { count, prepare, run }] of Object.entries(works)) {
      for (const name of names) {
        const server = servers[name];
        await prepare?.(server.url, round);
        const [start, busy] = [performance.now(), await server.busy()];
        await run(server.url, round);
        const passed = (performance.now() - start) / 1000;
        // The work after the answers, such as forwarding, counts too.
        await sleep(200);
        const taken = [passed, (await server.busy()) - busy].map((seconds) => seconds / count);
        const key = `${work}/${name}`;
        // The first round warms up, and does not count.
        if (round > 0) times.set(key, [...(times.get(key) ?? []), taken]);
      }
    }
  }
  for (const server of Object.values(servers)) await server.stop();
  print(Object.keys(works), times);
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

function print(works, times) {
  console.log("| | by hand | sillok | of its speed | busy, µs: by hand | sillok | of its speed |");
  console.log("|---|---|---|---|---|---|---|");
  for (const work of works) {
    const [hand, ours] = ["by hand", "sillok"].map((name) =>
      [0, 1].map((which) => median(times.get(`${work}/${name}`).map((taken) => taken[which]))),
    );
    const cells = [
      ...[hand, ours].map(([passed]) => (1 / passed).toFixed(0)),
      (hand[0] / ours[0]).toFixed(2),
      ...[hand, ours].map(([, busy]) => (busy * 1e6).toFixed(0)),
      (hand[1] / ours[1]).toFixed(2),
    ];
    console.log(`| ${work} | ${cells.join(" | ")} |`);
  }
}
