// What outlives a crash of the engine. All objects of an isolate share one engine: when it crashes, what they have under way in
// it never ends, and the code that crashed it has left no word. Here it is known which attempt that was, and who has to go on.

/** Work that never came to its end: whoever waits for it may try again. */
const CRASHED = "the engine crashed before this was done";

/** The objects that have work in the engine. */
const busy = new Set<Work>();
/** Whose attempt's code runs right now: an isolate does one thing at a time. */
let underWay: Attempts | undefined;

/** What the crate `worker` knows of the engine: which one it is, and whether the next call is to begin with a new one. */
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
  // Not at once: code that goes on may only have reported an error.
  queueMicrotask(() => crashed(reasonOf(error)));
});

/** Whatever has ended a call of the engine may be wrapped on its way through others. */
function reasonOf(error: unknown): string {
  return String((error as Error | undefined)?.cause ?? error);
}

/** Takes it that the engine has crashed, where code that was to come back to it has not. */
export function noticeCrash(): void {
  if (underWay !== undefined) crashed("it came to no end");
}

function crashed(reason: string): void {
  const attempts = underWay;
  underWay = undefined;
  attempts?.cutOff(reason);
  // The crate makes a new engine after a trap alone. An overflow of the stack is an error of JavaScript, and leaves an engine
  // whose objects were stopped amid their work: it must not go on.
  const state = engineState();
  if (state !== undefined && attempts?.engine === state.instanceId) state.criticalError = true;
  for (const work of busy) work.recover();
}

/** What an object answers to the call by which its work is taken up again after a crash. */
export interface Recovering {
  recover(): unknown;
}

/** What one object has under way in the engine. */
export class Work {
  readonly #object: () => Recovering;
  readonly #waiting = new Set<(error: Error) => void>();
  #runs = false;

  /** `object` is the object itself, as others call it: each has to go on in a turn of its own. */
  constructor(object: () => unknown) {
    this.#object = object as () => Recovering;
  }

  /** Waits for what the engine promises. A crash ends the wait. */
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

  /** The object's machine has begun to run, or has come to rest. */
  runs(isRunning: boolean): void {
    this.#runs = isRunning;
    if (isRunning) busy.add(this);
    else this.#rest();
  }

  /** Has the object take up its work again, after a crash. */
  recover(): void {
    busy.delete(this);
    const failed = (error: unknown) => console.error("an object was not told of a crash:", error);
    try {
      Promise.resolve(this.#object().recover()).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Ends the waits of before a crash. */
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

/** The work of a consumer, and its attempts, as the engine tells of them. */
export class Attempts extends Work {
  #event: readonly [stream: string, version: number] | undefined;
  #engine: number | undefined;
  #panic: string | undefined;
  #cutOff: CutOff | undefined;

  /** The code of an attempt at this event begins to run, or goes on. */
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

  /** In which engine the code began to run, or went on. */
  get engine(): number | undefined {
    return this.#engine;
  }

  /** The code has come back, whatever came of it. */
  ends(): void {
    underWay = undefined;
  }

  /** The code panics: the engine is about to crash. */
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
   * The attempt that has crashed an engine, to be told to the next one: until it is counted, since that one may crash by
   * others before. It is counted when the machine has come to rest, or attempts the event again.
   */
  get uncounted(): CutOff | undefined {
    return this.#cutOff;
  }
}
