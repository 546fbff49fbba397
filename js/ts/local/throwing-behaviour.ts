import { ObservedBehaviour } from "../aggregate/observed-behaviour.js";
import { SillokError } from "../store/errors.js";
import { raised } from "../store/raising.js";

/** An aggregate's code over one stream, which notes its error: the engine passes on only the text. */
export class ThrowingBehaviour extends ObservedBehaviour {
  #thrown: unknown;

  protected override observe(thrown: unknown): void {
    this.#thrown = thrown;
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
}
