/**
 * Reads the first message of a TLS client (RFC 8446 section 4.1.2) from bytes: sans I/O.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { ClientHelloFields } from "../../flow/client_hello.ts";
import { isHostName } from "../ca/names.ts";

/** How far the reading came. */
export type ClientHelloResult =
  | { readonly state: "partial" }
  | { readonly state: "done"; readonly hello: ClientHelloFields }
  | { readonly state: "invalid"; readonly reason: string };

/** The longest ClientHello that is read, in bytes: post-quantum key shares make it a few thousand at most. */
export const MAX_CLIENT_HELLO = 65_536;

/**
 * Reads a ClientHello, however its bytes are spread over TLS records.
 *
 * @param bytes everything that came so far, from the first byte; what follows the hello is not looked at
 * @returns `partial` when it may still become one, `invalid` as soon as it cannot any more
 */
export function readClientHello(bytes: Uint8Array): ClientHelloResult {
  const message = joinRecords(bytes);
  if (typeof message === "string") return { state: "invalid", reason: message };
  if (message === undefined) return { state: "partial" };
  try {
    return { state: "done", hello: parse(new Reader(message), (bytes[1] ?? 0) << 8 | (bytes[2] ?? 0)) };
  } catch (error) {
    if (error instanceof MalformedError) return { state: "invalid", reason: error.message };
    throw error;
  }
}

/** The body of the handshake message; `undefined` while it is not complete, a reason when it never will be. */
function joinRecords(bytes: Uint8Array): Buffer | string | undefined {
  const fragments: Uint8Array[] = [];
  let collected = 0;
  let expected: number | undefined;
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== 22) return `a record of type ${bytes[at]} where a handshake record (22) was expected`;
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return `a record of version ${bytes[at + 1]}.x, which is not TLS`;
    if (at + 5 > bytes.length) return undefined;
    const length = (bytes[at + 3] ?? 0) << 8 | (bytes[at + 4] ?? 0);
    // RFC 8446 section 5.1: neither empty handshake records nor ones over 2^14 bytes.
    if (length === 0 || length > 16_384) return `a record of ${length} bytes`;
    const fragment = bytes.subarray(at + 5, at + 5 + length);
    fragments.push(fragment);
    collected += fragment.length;
    if (expected === undefined) {
      const head = messageLength(fragments);
      if (typeof head === "string") return head;
      expected = head;
    }
    if (expected !== undefined && collected >= 4 + expected) return Buffer.concat(fragments).subarray(4, 4 + expected);
    at += 5 + length;
  }
  return undefined;
}

/** The length of the message's body, once its first four bytes are there. A record may hold a single byte. */
function messageLength(fragments: readonly Uint8Array[]): number | string | undefined {
  const head = fragments.length === 1 ? Buffer.from((fragments[0] ?? []).slice(0, 4)) : Buffer.concat(fragments);
  if (head.length > 0 && head[0] !== 1) {
    return `a handshake message of type ${head[0]} where a ClientHello (1) was expected`;
  }
  if (head.length < 4) return undefined;
  const length = head.readUIntBE(1, 3);
  return length > MAX_CLIENT_HELLO ? `a ClientHello of ${length} bytes; at most ${MAX_CLIENT_HELLO} are read` : length;
}

function parse(message: Reader, recordVersion: number): ClientHelloFields {
  const version = message.number(2);
  message.skip(32); // random
  message.vector(1); // session id
  const cipherSuites = message.vector(2).numbers(2);
  message.vector(1); // compression methods
  const extensions = new Map<number, Reader>();
  // Clients of TLS 1.2 and older may leave the extensions out altogether.
  const list = message.empty ? message : message.vector(2);
  if (!message.empty) throw new MalformedError("bytes after the last extension");
  while (!list.empty) {
    const type = list.number(2);
    if (extensions.has(type)) throw new MalformedError(`the extension ${type} twice`);
    extensions.set(type, list.vector(2));
  }
  const serverName = readServerName(extensions.get(0));
  return {
    recordVersion,
    version,
    ...(serverName === undefined ? {} : { serverName }),
    alpn: readAlpn(extensions.get(16)),
    cipherSuites,
    extensions: [...extensions.keys()],
    supportedVersions: extensions.get(43)?.vector(1).numbers(2) ?? [],
    supportedGroups: extensions.get(10)?.vector(2).numbers(2) ?? [],
    pointFormats: extensions.get(11)?.vector(1).numbers(1) ?? [],
    signatureAlgorithms: extensions.get(13)?.vector(2).numbers(2) ?? [],
  };
}

function readServerName(extension: Reader | undefined): string | undefined {
  const names = extension?.vector(2);
  while (names !== undefined && !names.empty) {
    const type = names.number(1);
    const name = names.vector(2).text();
    if (type === 0) return hostName(name);
  }
  return undefined;
}

/** A host name in lower case; what is none is dropped, as some clients send IP addresses, which RFC 6066 forbids. */
function hostName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, "");
  return isHostName(name) ? name : undefined;
}

function readAlpn(extension: Reader | undefined): string[] {
  const names: string[] = [];
  const list = extension?.vector(2);
  while (list !== undefined && !list.empty) names.push(list.vector(1).text());
  return names;
}

class MalformedError extends Error {}

/** Takes numbers and vectors (RFC 8446 section 3.4) off the front of some bytes. There are a hundred in a hello, so none is a copy. */
class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get empty(): boolean {
    return this.#at === this.#end;
  }

  skip(count: number): void {
    if (count > this.#end - this.#at) throw new MalformedError("a length that reaches beyond the end");
    this.#at += count;
  }

  number(size: 1 | 2): number {
    const at = this.#at;
    this.skip(size);
    return size === 1 ? this.#bytes[at]! : this.#bytes.readUInt16BE(at);
  }

  vector(lengthSize: 1 | 2): Reader {
    const length = this.number(lengthSize);
    const start = this.#at;
    this.skip(length);
    return new Reader(this.#bytes, start, this.#at);
  }

  numbers(size: 1 | 2): number[] {
    const numbers: number[] = [];
    while (!this.empty) numbers.push(this.number(size));
    return numbers;
  }

  text(): string {
    return this.#bytes.toString("latin1", this.#at, this.#end);
  }
}
