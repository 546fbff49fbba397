import { SillokError } from "./errors.js";

/** Refuses an argument. */
export function invalid(field: string, reason: string): SillokError {
  return new SillokError({ code: "invalid_parameter", detail: `\`${field}\` ${reason}`, field });
}
