/**
 * The time that certificates go by.
 *
 * @module
 */

/** Says what time it is, in milliseconds since 1970. */
export type Clock = () => number;

/**
 * The machine's own time. Taken when this file is loaded, because a test that fakes `Date` does not fake the clock of
 * the client that checks the certificate.
 */
export const systemClock: Clock = Date.now;

/** A day in milliseconds. */
export const DAY = 86_400_000;
