/**
 * MSW's extensions of WebSockets, which put a protocol such as Socket.IO between messages and frames.
 *
 * @module
 */

/** What an extension can do, as MSW 3 has it. Each gives one value, an iterator of several, or nothing. */
export interface MswExtensionLike {
  /** From a message to frames. */
  encode(message: unknown, context: object): unknown;
  /** From a frame to messages. */
  decode(data: unknown, context: object): unknown;
  /** What a server says first. */
  connect?(context: object): unknown;
  /** What a server answers to a frame. */
  receive?(data: unknown, context: object): unknown;
}

/** The values of a result. Arrays and strings are values, not several of them. */
export function* valuesOf(result: unknown): Generator<unknown> {
  if (result === undefined) return;
  const iterator = result as Iterator<unknown>;
  if (typeof result !== "object" || result === null || typeof iterator.next !== "function") return yield result;
  for (;;) {
    const { done, value } = iterator.next();
    if (!done || value !== undefined) yield value;
    if (done) return;
  }
}
