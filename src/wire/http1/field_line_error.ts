/**
 * Why a field line is refused. Runs only when the scan has stopped, so it is written to be read, not to be fast.
 *
 * @module
 */
import { redactText } from "../../flow/sensitive.ts";
import { ProtocolError } from "./protocol_error.ts";

/** The error for a field line that the scan did not accept. The line ends with its LF. */
export function explainFieldLine(line: string): ProtocolError {
  const shown = quote(line);
  if (/^[ \t]/.test(line)) {
    return new ProtocolError(
      "HTTP_OBS_FOLD",
      `The field line ${shown} starts with white space; folded lines are obsolete and refused (RFC 9112 5.2)`,
    );
  }
  const ending = explainLineEnd(line);
  if (ending !== undefined) return ending;
  const colon = line.indexOf(":");
  if (colon === -1) return new ProtocolError("HTTP_HEADER_NAME", `The field line ${shown} has no colon (RFC 9112 5)`);
  const name = line.slice(0, colon);
  if (/[ \t]$/.test(name)) {
    return new ProtocolError(
      "HTTP_HEADER_NAME",
      `The field line ${shown} has white space before its colon (RFC 9112 5.1)`,
    );
  }
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    return new ProtocolError("HTTP_HEADER_NAME", `The field name ${quote(name)} is not a token (RFC 9110 5.1)`);
  }
  return new ProtocolError(
    "HTTP_HEADER_VALUE",
    `The value of ${name} holds a control character: ${shown} (RFC 9110 5.5)`,
  );
}

/** The error for a line that ends with LF alone or has CR inside, if it does. */
export function explainLineEnd(line: string): ProtocolError | undefined {
  if (!line.endsWith("\r\n")) {
    return new ProtocolError(
      "HTTP_BARE_LF",
      `The line ${quote(line)} ends with LF alone; lines end with CRLF (RFC 9112 2.2)`,
    );
  }
  if (line.indexOf("\r") < line.length - 2) {
    return new ProtocolError("HTTP_HEADER_VALUE", `The line ${quote(line)} has a CR that no LF follows (RFC 9112 2.2)`);
  }
  return undefined;
}

/** The text for a message: escaped, shortened, and without credentials. */
export function quote(text: string): string {
  return JSON.stringify(redactText(text.length > 100 ? `${text.slice(0, 100)}...` : text));
}
