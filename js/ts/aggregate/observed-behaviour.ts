import { Behaviour } from "./behaviour.js";

/** An aggregate's code over one stream that observes what it throws: an engine passes on only the text. */
export abstract class ObservedBehaviour extends Behaviour {
  /** Observes what the code has thrown. It is thrown on afterwards. */
  protected abstract observe(thrown: unknown): void;

  override begin(): void {
    this.#observed(() => super.begin());
  }

  override fold(events: string): void {
    this.#observed(() => super.fold(events));
  }

  override decide(command: string, context: string): string {
    return this.#observed(() => super.decide(command, context));
  }

  override on(event: string, context: string): string {
    return this.#observed(() => super.on(event, context));
  }

  override answered(answer: string, context: string): string {
    return this.#observed(() => super.answered(answer, context));
  }

  override isEnded(): boolean {
    return this.#observed(() => super.isEnded());
  }

  override state(): string {
    return this.#observed(() => super.state());
  }

  #observed<T>(call: () => T): T {
    try {
      return call();
    } catch (thrown) {
      this.observe(thrown);
      throw thrown;
    }
  }
}
