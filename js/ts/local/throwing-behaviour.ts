import { Behaviour } from "../aggregate/behaviour.js";
import { SillokError } from "../store/errors.js";
import { raised } from "../store/raising.js";

/** An aggregate's code over one stream, which notes its error: the engine passes on only the text. */
export class ThrowingBehaviour extends Behaviour {
  #thrown: unknown;

  override begin(): void {
    this.#noting(() => super.begin());
  }

  override fold(events: string): void {
    this.#noting(() => super.fold(events));
  }

  override decide(command: string, context: string): string {
    return this.#noting(() => super.decide(command, context));
  }

  override state(): string {
    return this.#noting(() => super.state());
  }

  /** Makes one call of the engine. An error of the aggregate's code is thrown with its cause. */
  raising<T>(call: () => T): T {
    this.#thrown = undefined;
    try {
      return call();
    } catch (error) {
      const [failure, thrown] = [raised(error), this.#thrown];
      const isSame =
        failure instanceof SillokError &&
        thrown instanceof SillokError &&
        thrown.code === failure.code &&
        thrown.message === failure.message;
      throw isSame ? thrown : error;
    }
  }

  #noting<T>(call: () => T): T {
    try {
      return call();
    } catch (thrown) {
      this.#thrown = thrown;
      throw thrown;
    }
  }
}
