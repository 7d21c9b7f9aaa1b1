/**
 * What may be sent as a message.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { OptionsError } from "./error.ts";
import { describeValue } from "./matcher/describe.ts";

/**
 * The bytes of what an addon sends; a string is sent as UTF-8.
 *
 * @param what it is for, such as `a WebSocket message`
 * @throws {OptionsError} it is neither
 */
export function bytesToSend(data: Uint8Array | string, what: string): Uint8Array {
  if (typeof data === "string") return Buffer.from(data, "utf8");
  if (data instanceof Uint8Array) return data;
  throw new OptionsError(`the data of ${what} is a string or a Uint8Array, not ${describeValue(data)}`);
}
