import type { FailureListener } from "../consumer/app-failure.js";

/** Options of an {@link EventGateway}. */
export interface GatewayOptions {
  /**
   * Hears of each failed attempt of a consumer, at a timer or at a sent command. The gateway also logs it, by `console.error`.
   * The error of this function is logged, and changes nothing. Default: none.
   */
  readonly onFailure?: FailureListener | undefined;
}
