// The configuration of a deployment: what wrangler.toml must bind, and names that are misspelt.

/** The bindings that every Worker needs, with the classes that they bind. */
const BINDINGS = { AGGREGATE: "Aggregate", JOURNAL: "Journal", CONSUMER: "Consumer" } as const;
/** The variables and secrets of Sillok. None of them is needed by all Workers. */
const VARIABLES = ["SILLOK_SECRET", "SILLOK_AUTH", "SILLOK_HOSTS", "JOURNAL_PARTITIONS"] as const;
/** The most letters that differ between a misspelt name and the right one. */
const MOST_WRONG = 2;

/** A problem of an operator, as a problem document has it. */
export interface Misconfiguration {
  readonly code: string;
  readonly detail: string;
  /** The names of the bindings that are missing. */
  readonly missing?: readonly string[];
  /** The misspelt names, each with the right one. */
  readonly misspelt?: Readonly<Record<string, string>>;
}

/** The environments that were checked, with what is wrong in them. */
const checked = new WeakMap<object, Misconfiguration | undefined>();

/** What is wrong in an environment. It is checked once, and logged then. */
export function misconfiguration(env: object): Misconfiguration | undefined {
  if (!checked.has(env)) {
    const wrong = check(env);
    checked.set(env, wrong);
    if (wrong !== undefined) console.error(wrong.detail);
  }
  return checked.get(env);
}

const TITLES = {
  405: "Method Not Allowed",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

/** A problem document (RFC 9457), before the engine can write one. */
export function problem(
  status: keyof typeof TITLES,
  fields: Misconfiguration,
  more: Readonly<Record<string, string>> = {},
): Response {
  const title = TITLES[status];
  const headers = {
    ...more,
    "Cache-Control": "no-store, no-transform",
    "Content-Type": "application/problem+json",
  };
  return Response.json({ type: "about:blank", title, status, ...fields }, { status, headers });
}

function check(env: object): Misconfiguration | undefined {
  const values = env as Readonly<Record<string, unknown>>;
  const missing = Object.keys(BINDINGS).filter((name) => !isNamespace(values[name]));
  const unset = [...missing, ...VARIABLES.filter((name) => values[name] === undefined)];
  const known: readonly string[] = [...Object.keys(BINDINGS), ...VARIABLES];
  const others = Object.keys(env).filter((name) => !known.includes(name));
  const misspelt = Object.fromEntries(
    others.flatMap((name) => {
      const meant = unset.find((right) => isMisspelt(name, right));
      return meant === undefined ? [] : [[name, meant]];
    }),
  );
  const faults = [
    ...missing.map((name) => {
      const bound = `class_name = ${JSON.stringify(BINDINGS[name as keyof typeof BINDINGS])}`;
      return `the binding ${name} is missing: wrangler.toml needs a Durable Object with name = "${name}", ${bound}`;
    }),
    ...Object.entries(misspelt).map(([name, meant]) => `${name} is unknown: is it ${meant}?`),
  ];
  if (faults.length === 0) return undefined;
  const detail = `this deployment is not configured: ${faults.join("; ")}`;
  return { code: "invalid_configuration", detail, missing, misspelt };
}

/** Whether a value is a binding of a class of objects. */
function isNamespace(value: unknown): boolean {
  return typeof (value as { idFromName?: unknown } | undefined)?.idFromName === "function";
}

/** Whether a name differs from the right one only by its case or by a few letters. */
function isMisspelt(name: string, right: string): boolean {
  const [from, to] = [name.toUpperCase(), right];
  if (Math.abs(from.length - to.length) > MOST_WRONG) return false;
  return distance(from, to) <= MOST_WRONG;
}

/** The number of letters to add, to remove or to replace. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, place) => place);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (const [place, other] of [...to].entries()) {
      const replaced = row[place]! + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, row[place + 1]! + 1, next[place]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
