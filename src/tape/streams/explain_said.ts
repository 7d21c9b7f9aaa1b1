/**
 * Says in what a client has left a recorded conversation.
 *
 * @module
 */
import { compareRequests } from "../../flow/compare_requests.ts";
import { renderComparisons } from "../../flow/near_miss.ts";
import { FlowRequest } from "../../flow/request.ts";
import type { TapeEntry } from "../entry.ts";
import type { Redactor } from "../redact/redactor.ts";

/** What was said, and what should have been. */
export interface Departure {
  /** The tape. */
  readonly path: string;
  /** Such as `WebSocket`, `call` or `conversation`. */
  readonly what: string;
  /** Where: a URL, or `TCP host:port`. */
  readonly where: string;
  readonly entry: TapeEntry;
  /** Such as `message 3 of the client`. */
  readonly place: string;
  /** What the tape has; `undefined`: nothing more. */
  readonly recorded: Uint8Array | undefined;
  /** What the client has said; `undefined`: it has ended. */
  readonly live: Uint8Array | undefined;
  /** Whether it is text. */
  readonly text: boolean;
}

/** The explanation, without what is secret. */
export function explainSaid(departure: Departure, redactor: Redactor): string {
  const { path, what, where, entry, place, recorded, live } = departure;
  const head =
    `The client has left the conversation that the tape ${path} has, and in it nothing else can be answered:\n\n` +
    `  ${where}\n\n${capital(place)} of this ${what} differs from entry ${entry.index}`;
  if (recorded === undefined) {
    return `${head}: the client had said all that it says there, and the recording knows no answer to\n\n` +
      `  + ${shown(live ?? new Uint8Array(0), departure.text, redactor)}\n\n${RECORD}\n`;
  }
  if (live === undefined) {
    return `${head}: the client has ended it, and there it goes on with\n\n` +
      `  - ${shown(recorded, departure.text, redactor)}\n\n${RECORD}\n`;
  }
  const comparisons = compareRequests(
    asRequest(recorded, departure.text, redactor),
    asRequest(live, departure.text, redactor),
  )
    .filter(({ field }) => BODY.test(field));
  if (comparisons.every(({ matches }) => matches)) {
    // What differs is a secret, its length, or what kind of message it is.
    const line = (data: Uint8Array) => shown(data, departure.text, redactor);
    return `${head} (- recorded, + received):\n\n  - ${line(recorded)}\n  + ${line(live)}\n\n${RECORD}\n`;
  }
  const fields = comparisons.filter(({ matches, field }) => !matches && field.startsWith("json.")).map(({ field }) =>
    JSON.stringify(`$.${field.slice("json.".length)}`)
  );
  const onlyJson = fields.length > 0 && fields.length === comparisons.filter(({ matches }) => !matches).length;
  const advice = onlyJson
    ? `If that difference does not matter: match: { body: { ignore: [${
      fields.join(", ")
    }] } }. Otherwise record it anew: mode: "record".`
    : RECORD;
  return `${head} (- recorded, + received):\n\n${renderComparisons(comparisons)}\n\n${advice}\n`;
}

const RECORD = 'If the client is right, record it anew: mode: "record".';
const BODY = /^(?:body|json|form)(?![^.[])/;

function asRequest(data: Uint8Array, text: boolean, redactor: Redactor): FlowRequest {
  const type = text ? "text/plain" : "application/octet-stream";
  const body = redactor.body(data, text ? null : type);
  const json = text && /^\s*[[{]/.test(new TextDecoder().decode(body.subarray(0, 64)));
  const headers = { "content-type": json ? "application/json" : type };
  return FlowRequest.create({ method: "POST", url: "http://localhost/", headers, body });
}

function shown(data: Uint8Array, text: boolean, redactor: Redactor): string {
  const clean = redactor.body(data, text ? null : "application/octet-stream");
  const decoded = new TextDecoder().decode(clean.subarray(0, 400));
  return text || !decoded.includes("\ufffd") ? JSON.stringify(decoded) : `${data.length} bytes`;
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
