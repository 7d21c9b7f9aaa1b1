/**
 * Fingerprints of TLS clients: what their library is shows in how they greet.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { ClientHelloFields } from "../../flow/client_hello.ts";

const SERVER_NAME = 0;
const ALPN = 16;

/** JA4's names of versions; others are `00`. */
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, "13"],
  [0x0303, "12"],
  [0x0302, "11"],
  [0x0301, "10"],
  [0x0300, "s3"],
  [0x0002, "s2"],
]);

/** The JA3 fingerprint: the MD5 of five lists of numbers in the order in which the client sent them, without GREASE. */
export function ja3(hello: ClientHelloFields): string {
  return createHash("md5").update(ja3Text(hello)).digest("hex");
}

/** What {@linkcode ja3} is the hash of. */
export function ja3Text(hello: ClientHelloFields): string {
  const lists = [hello.cipherSuites, hello.extensions, hello.supportedGroups, hello.pointFormats];
  return [hello.version, ...lists.map((numbers) => numbers.filter(isNoGrease).join("-"))].join(",");
}

/**
 * The JA4 fingerprint: a part to be read, the hash of the sorted cipher suites, and the hash of the sorted extensions with the
 * signature algorithms as they came; all without GREASE.
 */
export function ja4(hello: ClientHelloFields): string {
  const { ciphers, extensions } = ja4Lists(hello);
  return `${ja4Start(hello)}_${shortHash(ciphers)}_${shortHash(extensions)}`;
}

/** {@linkcode ja4} before it is hashed: JA4_r. */
export function ja4Raw(hello: ClientHelloFields): string {
  const { ciphers, extensions } = ja4Lists(hello);
  return `${ja4Start(hello)}_${ciphers}_${extensions}`;
}

function ja4Start(hello: ClientHelloFields): string {
  const ciphers = hello.cipherSuites.filter(isNoGrease).length;
  const extensions = hello.extensions.filter(isNoGrease).length;
  const offered = hello.supportedVersions.filter(isNoGrease);
  const version = VERSIONS.get(offered.length > 0 ? Math.max(...offered) : hello.version) ?? "00";
  const destination = hello.extensions.includes(SERVER_NAME) ? "d" : "i";
  return `t${version}${destination}${count(ciphers)}${count(extensions)}${alpnMark(hello.alpn[0])}`;
}

function ja4Lists(hello: ClientHelloFields): { ciphers: string; extensions: string } {
  const ciphers = hello.cipherSuites.filter(isNoGrease).map(hex).sort().join(",");
  const types = hello.extensions.filter((type) => isNoGrease(type) && type !== SERVER_NAME && type !== ALPN);
  const sorted = types.map(hex).sort().join(",");
  const signatures = hello.signatureAlgorithms.filter(isNoGrease).map(hex).join(",");
  return { ciphers, extensions: signatures === "" ? sorted : `${sorted}_${signatures}` };
}

/** First and last character of the first protocol; of its hex form where one of them is no letter or digit. */
function alpnMark(protocol: string | undefined): string {
  if (protocol === undefined || protocol === "") return "00";
  const ends = (text: string) => text.charAt(0) + text.charAt(text.length - 1);
  return /^[a-z0-9]{2}$/i.test(ends(protocol)) ? ends(protocol) : ends(Buffer.from(protocol, "latin1").toString("hex"));
}

function shortHash(text: string): string {
  return text === "" ? "000000000000" : createHash("sha256").update(text).digest("hex").slice(0, 12);
}

function count(number: number): string {
  return String(Math.min(number, 99)).padStart(2, "0");
}

function hex(number: number): string {
  return number.toString(16).padStart(4, "0");
}

/** Values that clients make up so that servers stay used to unknown ones (RFC 8701): 0x0a0a, 0x1a1a ... 0xfafa. */
function isNoGrease(value: number): boolean {
  return (value & 0x0f0f) !== 0x0a0a || value >> 8 !== (value & 0xff);
}
