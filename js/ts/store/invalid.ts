import { SillokError } from "./errors.js";

/** The error of an invalid argument. */
export function invalid(field: string, reason: string): SillokError {
  return new SillokError({ code: "invalid_parameter", detail: `\`${field}\` ${reason}`, field });
}
