/** A value, or a promise of it where another connection has locked the file. */
export type Soon<T> = T | Promise<T>;
