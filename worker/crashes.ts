// The record of work in the engine, which outlives a crash of the engine. All objects of an isolate share one engine. After a
// crash their work in it never ends, and no error says so. This record says which attempt has crashed the engine, and which
// objects must continue their work.

/** The error of work that has not ended. The caller may retry. */
const CRASHED = "the engine crashed before this was done";

/** The objects with work in the engine. */
const busy = new Set<Work>();
/** The attempts whose code runs now. An isolate runs one piece of code at a time. */
let underWay: Attempts | undefined;

/** The state of the engine in the crate `worker`: its number, and whether the next call starts a new engine. */
interface EngineState {
  criticalError: boolean;
  readonly instanceId: number;
}

function engineState(): EngineState | undefined {
  return (globalThis as { __worker_init_state?: EngineState }).__worker_init_state;
}

(globalThis as unknown as EventTarget<{ error: ErrorEvent }>).addEventListener("error", (event) => {
  const { error } = event;
  if (underWay === undefined && !(error instanceof WebAssembly.RuntimeError)) return;
  // Not now: the code may only report an error and then continue.
  queueMicrotask(() => crashed(reasonOf(error)));
});

/** The reason of an error. Callers may have wrapped the error that has ended a call of the engine. */
function reasonOf(error: unknown): string {
  return String((error as Error | undefined)?.cause ?? error);
}

/** Assumes a crash of the engine where the code of an attempt has not returned. */
export function noticeCrash(): void {
  if (underWay !== undefined) crashed("it has not ended");
}

function crashed(reason: string): void {
  const attempts = underWay;
  underWay = undefined;
  attempts?.cutOff(reason);
  // The crate starts a new engine only after a trap. An overflow of the stack is an error of JavaScript. It interrupts the
  // objects in the engine amid their work: nothing may use this engine again.
  const state = engineState();
  if (state !== undefined && attempts?.engine === state.instanceId) state.criticalError = true;
  for (const work of busy) work.recover();
}

/** An object that recovers from a crash. */
export interface Recovering {
  recover(): unknown;
}

/** The work of one object in the engine. */
export class Work {
  readonly #object: () => Recovering;
  readonly #waiting = new Set<(error: Error) => void>();
  #runs = false;

  /** `object` gives the stub of the object: each object continues in a turn of its own. */
  constructor(object: () => unknown) {
    this.#object = object as () => Recovering;
  }

  /** Waits for a promise of the engine. A crash ends the wait. */
  async until<T>(promised: Promise<T>): Promise<T> {
    let end: ((error: Error) => void) | undefined;
    const crash = new Promise<never>((_, reject) => {
      end = reject;
      this.#waiting.add(reject);
    });
    busy.add(this);
    try {
      return await Promise.race([promised, crash]);
    } finally {
      this.#waiting.delete(end!);
      this.#rest();
    }
  }

  /** Says whether the object's machine runs or is idle. */
  runs(isRunning: boolean): void {
    this.#runs = isRunning;
    if (isRunning) busy.add(this);
    else this.#rest();
  }

  /** Calls the object to recover after a crash. */
  recover(): void {
    busy.delete(this);
    const failed = (error: unknown) =>
      console.error("an object has not recovered from a crash:", error);
    try {
      Promise.resolve(this.#object().recover()).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Ends all waits that began before a crash. */
  giveUp(): void {
    this.#runs = false;
    for (const end of this.#waiting) end(Object.assign(new Error(CRASHED), { retryable: true }));
    this.#waiting.clear();
  }

  #rest(): void {
    if (!this.#runs && this.#waiting.size === 0) busy.delete(this);
  }
}

/** An attempt that has crashed the engine. */
interface CutOff {
  readonly stream: string;
  readonly version: number;
  readonly reason: string;
}

/** The work and the attempts of a consumer. The engine reports each attempt. */
export class Attempts extends Work {
  #event: readonly [stream: string, version: number] | undefined;
  #engine: number | undefined;
  #panic: string | undefined;
  #cutOff: CutOff | undefined;

  /** The code of an attempt at this event starts or continues. */
  begins(stream: string, version: number): void {
    this.#event = [stream, version];
    this.#engine = engineState()?.instanceId;
    underWay = this;
    const { stream: of, version: at } = this.#cutOff ?? {};
    if (stream === of && version === at) this.#cutOff = undefined;
  }

  override runs(isRunning: boolean): void {
    super.runs(isRunning);
    if (!isRunning) this.#cutOff = undefined;
  }

  /** The number of the engine in which the code started or continued. */
  get engine(): number | undefined {
    return this.#engine;
  }

  /** The code has returned, with success or with an error. */
  ends(): void {
    underWay = undefined;
  }

  /** The code panics. The engine crashes next. */
  panics(message: string): void {
    this.#panic = message;
  }

  /** The code has crashed the engine. */
  cutOff(reason: string): void {
    const [stream, version] = this.#event!;
    this.#cutOff = { stream, version, reason: `the attempt was cut off: ${this.#panic ?? reason}` };
    this.#panic = undefined;
  }

  /**
   * The attempt that has crashed an engine. Each new engine gets it until it has counted the attempt, because another attempt
   * may crash the new engine first. The attempt is counted when the machine is idle, or attempts the event again.
   */
  get uncounted(): CutOff | undefined {
    return this.#cutOff;
  }
}
