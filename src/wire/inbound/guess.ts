/**
 * Tells from its first bytes what a client speaks: sans I/O.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { LayerName } from "../../hooks/layer.ts";

/** Where the bytes came: on the listening port, in a tunnel, or behind TLS in a tunnel. */
export type Place = "port" | "tunnel" | "secure";

/** What a client seems to speak. */
export interface Guess {
  /** What it is taken for unless more bytes say otherwise. */
  readonly name: LayerName;
  /** Whether more bytes may say otherwise: not at all; perhaps; or surely, because it is in the middle of the first word. */
  readonly open: "no" | "perhaps" | "surely";
}

/** How much bytes speak for a protocol; `begun`: they are the beginning of what only it begins with. */
type Evidence = "none" | "possible" | "begun" | "certain";

/**
 * The protocols of each place in the order in which they are asked; what is none of them is `tcp`. On the port there is no other
 * server that could make sense of the bytes: what may be HTTP is read as HTTP there, and told what is wrong with it.
 */
const PROTOCOLS: Readonly<Record<Place, readonly (readonly [LayerName, (bytes: Buffer) => Evidence])[]>> = {
  port: [["socks", socks], ["tls", tls], ["http1", perhapsPreface], ["http2", preface], ["http1", methodStart]],
  tunnel: [["tls", tls], ["http1", perhapsPreface], ["http2", preface], ["http1", requestLine]],
  secure: [["http1", perhapsPreface], ["http2", preface], ["http1", requestLine]],
};

/** What a client seems to speak that has sent these bytes, one at least. */
export function guess(place: Place, bytes: Buffer): Guess {
  let possible = false;
  for (const [name, evidence] of PROTOCOLS[place]) {
    switch (evidence(bytes)) {
      case "certain":
        return { name, open: "no" };
      case "begun":
        return { name, open: "surely" };
      case "possible":
        possible = true;
    }
  }
  return { name: "tcp", open: possible ? "perhaps" : "no" };
}

/** The version is the first byte (RFC 1928 section 3). */
function socks(bytes: Buffer): Evidence {
  return bytes[0] === 4 || bytes[0] === 5 ? "certain" : "none";
}

/** A handshake record: type 22, and a version of 3.0 to 3.4 (RFC 8446 section 5.1). */
function tls(bytes: Buffer): Evidence {
  const fits = bytes[0] === 22 && (bytes.length < 2 || bytes[1] === 3) && (bytes.length < 3 || bytes[2]! <= 4);
  return !fits ? "none" : bytes.length < 3 ? "begun" : "certain";
}

/** What HTTP/2 begins with, whatever follows (RFC 9113 section 3.4). */
const PREFACE = "PRI * HTTP/2.0\r\n";

/** `P` and `PR` begin methods of HTTP/1.1 as well. */
function perhapsPreface(bytes: Buffer): Evidence {
  return bytes.length < 3 && bytes.toString("latin1") === PREFACE.slice(0, bytes.length) ? "begun" : "none";
}

/** Prior knowledge (RFC 9113 section 3.3). */
function preface(bytes: Buffer): Evidence {
  const text = bytes.toString("latin1", 0, PREFACE.length);
  return text === PREFACE ? "certain" : bytes.length >= 3 && text === PREFACE.slice(0, text.length) ? "begun" : "none";
}

/** Methods are tokens (RFC 9110 section 9.1), and empty lines may come first (RFC 9112 section 2.2). */
function methodStart(bytes: Buffer): Evidence {
  const byte = bytes[0]!;
  return byte === 0x0d || byte === 0x0a || (byte > 0x20 && byte < 0x7f) ? "certain" : "none";
}

/** Longer request lines have said what they are before. */
const MAX_LINE = 4096;
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
const LINE = /^[!#$%&'*+\-.^`|~\w]+ +\S.* HTTP\/\d(?:\.\d)?[ \t]*\r?$/;
/** A known method and the beginning of a path or URL: many protocols have lines of words, but none has this. */
const BEGINNING = new RegExp(`^(?:${METHODS.join("|")}) +(?:/|http)`);
const MAY_BECOME_LINE = /^[!#$%&'*+\-.^`|~\w]{1,32}(?: +(?:[!-~\u0080-\u00ff].*)?)?$/;

/**
 * A request line (RFC 9112 section 3). Redis, FTP, IRC, memcached... begin with printable words too, NATS even with `CONNECT `: what
 * tells HTTP apart is its version at the end of the line, or a path after a method that everybody knows.
 */
function requestLine(bytes: Buffer): Evidence {
  const text = bytes.toString("latin1", 0, MAX_LINE).replace(/^(?:\r?\n)+/, "");
  const end = text.indexOf("\n");
  const line = end < 0 ? text : text.slice(0, end);
  if (BEGINNING.test(line)) return "certain";
  if (end >= 0) return LINE.test(line) ? "certain" : "none";
  if (line === "") return "possible";
  const method = line.replace(/ .*$/s, "");
  if (METHODS.some((known) => line === method ? known.startsWith(method) : known === method)) return "begun";
  return line.length < MAX_LINE && MAY_BECOME_LINE.test(line) ? "possible" : "none";
}
