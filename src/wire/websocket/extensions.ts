/**
 * Sec-WebSocket-Extensions (RFC 6455 9.1), and what it says of permessage-deflate (RFC 7692 7.1).
 *
 * @module
 */
import type { DeflateSide } from "./deflate.ts";
import { HandshakeError } from "./websocket_error.ts";

/** One extension of a list. */
export interface Extension {
  /** Its name. */
  readonly name: string;
  /** Its parameters in order; `true` for one without a value. */
  readonly params: readonly (readonly [name: string, value: string | true])[];
}

/** What was negotiated of permessage-deflate, for each sender. */
export interface DeflateParameters {
  /** How the client compresses. */
  readonly client: DeflateSide;
  /** How the server compresses. */
  readonly server: DeflateSide;
}

const DEFLATE = "permessage-deflate";
const MAX_WINDOW_BITS = 15;
/** The pieces of a list: a token or the quoted form of one, with the delimiter behind it. */
const PIECE =
  /[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:[ \t]*=[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"([^"]*)"))?[ \t]*(;|,|$)/y;

/** The extensions that the lines of the field list, in order; `undefined` when they are malformed. */
export function parseExtensions(values: readonly string[]): Extension[] | undefined {
  const extensions: Extension[] = [];
  for (const element of values.flatMap(elementsOf)) {
    const extension = parseExtension(element);
    if (extension === undefined) return undefined;
    extensions.push(extension);
  }
  return extensions;
}

/**
 * The offer that a client's is passed on as: without extensions that the proxy does not know, for a server that accepts one may
 * change what a frame is. As it was sent where nothing has to go; `undefined`: without the field.
 */
export function supportedOffer(values: readonly string[]): string | undefined {
  const kept = values.flatMap(elementsOf).filter((element) => parseExtension(element)?.name === DEFLATE);
  return kept.length === 0 ? undefined : kept.join(", ");
}

/**
 * What the server has accepted; `undefined`: no compression.
 *
 * @param offered the values of Sec-WebSocket-Extensions that the server got
 * @param answered those of its answer
 * @throws {HandshakeError} the answer is not one that a client may accept
 */
export function negotiate(offered: readonly string[], answered: readonly string[]): DeflateParameters | undefined {
  const accepted = parseExtensions(answered);
  if (accepted === undefined) {
    throw new HandshakeError(`The server's Sec-WebSocket-Extensions is malformed: ${quote(answered)} (RFC 6455 9.1)`);
  }
  const [first, second] = accepted;
  if (first === undefined) return undefined;
  const offers = (parseExtensions(offered) ?? []).filter((offer) => offer.name === first.name);
  if (second !== undefined || first.name !== DEFLATE || offers.length === 0) {
    throw new HandshakeError(
      `The server has accepted the extensions ${quote(answered)}, of which not all were offered (RFC 6455 4.1)`,
    );
  }
  return parametersOf(first, answered);
}

function parametersOf(extension: Extension, answered: readonly string[]): DeflateParameters {
  const found = new Map<string, number>();
  for (const [name, value] of extension.params) {
    const isBits = name === "client_max_window_bits" || name === "server_max_window_bits";
    const isFlag = name === "client_no_context_takeover" || name === "server_no_context_takeover";
    // No leading zeros, and in an answer a window always has a value (RFC 7692 7.1.2).
    const valid = isBits ? typeof value === "string" && /^(?:[89]|1[0-5])$/.test(value) : isFlag && value === true;
    if (!valid || found.has(name)) {
      throw new HandshakeError(
        `The server's permessage-deflate has a parameter that is unknown, repeated or of the wrong form: ${
          quote(answered)
        } (RFC 7692 7.1)`,
      );
    }
    found.set(name, Number(value));
  }
  const side = (of: "client" | "server"): DeflateSide => ({
    windowBits: found.get(`${of}_max_window_bits`) ?? MAX_WINDOW_BITS,
    takeover: !found.has(`${of}_no_context_takeover`),
  });
  return { client: side("client"), server: side("server") };
}

/** The elements of a list, trimmed; commas in quotes divide nothing. */
function elementsOf(value: string): string[] {
  return (value.match(/(?:"[^"]*"|[^,"]|")+/g) ?? []).map((element) => element.trim()).filter((it) => it !== "");
}

function parseExtension(element: string): Extension | undefined {
  const params: [string, string | true][] = [];
  let name: string | undefined;
  PIECE.lastIndex = 0;
  for (;;) {
    const match = PIECE.exec(element);
    if (match === null) return undefined;
    const [, token, value, quoted, delimiter] = match;
    if (delimiter === ",") return undefined;
    // The quoted form of a value is a token too (RFC 6455 9.1).
    if (quoted !== undefined && !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(quoted)) return undefined;
    if (name !== undefined) params.push([token!, value ?? quoted ?? true]);
    else if (value === undefined && quoted === undefined) name = token!;
    else return undefined;
    if (delimiter === "") return { name, params };
  }
}

function quote(values: readonly string[]): string {
  return JSON.stringify(values.join(", ").slice(0, 200));
}
