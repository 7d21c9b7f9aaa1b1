/**
 * Guards for what addons put into heads, against response splitting and request smuggling (RFC 9112 11.1).
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { quote } from "./field_line_error.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;
const TARGET = /^[!"$-~\x80-\xff]+$/;

/**
 * Throws when a field of this name and value cannot be sent as one line.
 *
 * @throws {OptionsError} the name is not a token, or the value has CR, LF, NUL, another control, or a character above U+00FF
 */
export function checkField(name: string, value: string): void {
  if (!TOKEN.test(name)) {
    throw new OptionsError(
      `The header name ${quote(name)} is not a token: use letters, digits and hyphens (RFC 9110 5.1)`,
    );
  }
  if (!TEXT.test(value)) {
    throw new OptionsError(
      `The value of header ${name} is ${
        quote(value)
      }: a line break, a control or a character above U+00FF cannot be sent (RFC 9110 5.5)`,
    );
  }
}

/**
 * Throws when a method or target cannot be sent in a request line.
 *
 * @throws {OptionsError} the method is not a token, or the target is empty or has white space, a control, "#" or a character above U+00FF
 */
export function checkRequestLine(method: string, target: string): void {
  if (typeof method !== "string" || !TOKEN.test(method)) {
    throw new OptionsError(`The method ${quote(String(method))} is not a token (RFC 9110 9.1)`);
  }
  if (!TARGET.test(target)) {
    throw new OptionsError(
      `The request target ${
        quote(target)
      } cannot be sent: percent-encode white space, controls, "#" and characters above U+00FF (RFC 9112 3.2)`,
    );
  }
}

/**
 * Throws when a status or reason cannot be sent in a status line.
 *
 * @throws {OptionsError} the status is not an integer from 200 to 999, or the reason has a control or a character above U+00FF
 */
export function checkStatusLine(status: number, reason: string): void {
  // After an informational status the client would wait for the response (RFC 9110 15.2).
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new OptionsError(`The status ${status} is not that of a response: an integer from 200 to 999 (RFC 9110 15)`);
  }
  if (!TEXT.test(reason)) {
    throw new OptionsError(
      `The reason phrase ${quote(reason)} holds a control or a character above U+00FF (RFC 9112 4)`,
    );
  }
}
