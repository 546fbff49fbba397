// Replaces the clock and the random numbers of the platform while pure code runs.

/** A place of an object, and its value while pure code runs. */
type Replacement = readonly [holder: object | undefined, key: string, value: unknown];

/**
 * Calls `call`, with a clock and random numbers of their own for each `run`. Adds the name of each function of these that it
 * calls to `used`.
 */
export function onOwnPlatform<T>(run: number, used: Set<string>, call: () => T): T {
  const restore = replacements(run, used).map(([holder, key, value]) => {
    if (holder === undefined) return () => {};
    const before = Object.getOwnPropertyDescriptor(holder, key);
    const property = { value, configurable: true, writable: true, enumerable: false };
    if (!Reflect.defineProperty(holder, key, property)) return () => {};
    return () => {
      if (before === undefined) Reflect.deleteProperty(holder, key);
      else Reflect.defineProperty(holder, key, before);
    };
  });
  try {
    return call();
  } finally {
    for (const back of restore.toReversed()) back();
  }
}

function replacements(run: number, used: Set<string>): Replacement[] {
  const time = 1_000_000_000_000 + run * 86_400_000;
  const random = randomNumbers(run);
  const noted = <Result>(name: string, result: () => Result) => {
    return () => {
      used.add(name);
      return result();
    };
  };
  const fill = <Bytes extends ArrayBufferView>(bytes: Bytes) => {
    used.add("crypto.getRandomValues()");
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    view.set(view.map(() => random() * 256));
    return bytes;
  };
  const uuid = () =>
    "00000000-0000-4000-8000-000000000000".replaceAll(/0/g, () =>
      Math.floor(random() * 16).toString(16),
    );
  return [
    [Math, "random", noted("Math.random()", random)],
    [globalThis.performance, "now", noted("performance.now()", () => run * 1000)],
    [globalThis.crypto, "randomUUID", noted("crypto.randomUUID()", uuid)],
    [globalThis.crypto, "getRandomValues", fill],
    [Date, "now", noted("Date.now()", () => time)],
    [globalThis, "Date", clock(time, used)],
  ];
}

/** The class `Date`, with another present. */
function clock(time: number, used: Set<string>): typeof Date {
  const own: typeof Date = new Proxy(Date, {
    construct(target, given, newTarget) {
      if (given.length === 0) used.add("new Date()");
      const from = given.length === 0 ? [time] : given;
      return Reflect.construct(target, from, newTarget === own ? target : newTarget) as object;
    },
    apply(target) {
      used.add("Date()");
      return new target(time).toString();
    },
  });
  return own;
}

function randomNumbers(seed: number): () => number {
  let state = seed * 7919 + 1;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}
