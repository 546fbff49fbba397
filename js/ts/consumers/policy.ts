// The numbers of the core's rules about consumers. `tests/error_codes.rs` compares them with the core's.

/** The limits: bytes of a name, attempts, and milliseconds of a delay and of an attempt. */
export const LIMITS = { nameBytes: 200, attempts: 100, delay: 86_400_000, timeout: 600_000 };

/** What counts where a definition says nothing else; times are in milliseconds. */
export const DEFAULTS = { attempts: 8, firstDelay: 500, longestDelay: 300_000, timeout: 30_000 };
