/**
 * The client's side of SOCKS 5 (RFC 1928) with name and password (RFC 1929), without I/O.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { bareHost } from "../../../flow/authority.ts";
import type { Trail } from "../../trail.ts";
import { methodsOf } from "../../trail_methods.ts";
import { addressBytes } from "./ip_address.ts";
import { ProxyRefusal, soundsLike } from "./proxy_refusal.ts";
import type { Handshake, HandshakeStep } from "./run_handshake.ts";
import type { ProxyCredentials, ProxyTarget } from "./upstream_proxy.ts";

const NO_METHOD = 0xff;

/** RFC 1928 section 6. Where the reply is about the server, so is the code. */
const REPLIES: Readonly<Record<number, readonly [code: string, text: string]>> = {
  1: ["NEXT_PROXY_REFUSED", "general failure"],
  2: ["NEXT_PROXY_REFUSED", "its rules do not allow this connection"],
  3: ["UPSTREAM_UNREACHABLE", "the network cannot be reached"],
  4: ["UPSTREAM_UNREACHABLE", "the host cannot be reached"],
  5: ["UPSTREAM_REFUSED", "the server refused the connection"],
  6: ["UPSTREAM_UNREACHABLE", "the TTL expired on the way"],
  7: ["NEXT_PROXY_REFUSED", "it does not know CONNECT"],
  8: ["NEXT_PROXY_REFUSED", "it does not know this type of address"],
};

type State = "start" | "method" | "password" | "connect" | "over";

/** Asks a SOCKS 5 proxy for a tunnel. */
export class Socks5Handshake implements Handshake<void> {
  readonly #target: ProxyTarget;
  readonly #credentials: ProxyCredentials | undefined;
  readonly #trail: Trail;
  #bytes: Buffer = Buffer.alloc(0);
  #state: State = "start";

  /**
   * @param target an address is sent as such, a name for the proxy to resolve
   * @param trail the proxies on the way so far, which proxies like this one understand
   */
  constructor(target: ProxyTarget, credentials?: ProxyCredentials, trail: Trail = []) {
    this.#target = target;
    this.#credentials = credentials;
    this.#trail = trail;
  }

  /** Takes bytes of the proxy. */
  push(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
  }

  /**
   * The next step.
   *
   * @throws {ProxyRefusal} the proxy does not open the tunnel, or does not speak SOCKS 5
   */
  next(): HandshakeStep<void> | undefined {
    switch (this.#state) {
      case "start":
        this.#state = "method";
        return { type: "write", bytes: this.#greeting() };
      case "method":
        return this.#method();
      case "password":
        return this.#password();
      case "connect":
        return this.#connect();
      case "over":
        return undefined;
    }
  }

  /** What came after the reply. */
  rest(): Buffer {
    return this.#take(this.#bytes.length);
  }

  #greeting(): Buffer {
    const methods = [...(this.#credentials === undefined ? [0] : [0, 2]), ...methodsOf(this.#trail)];
    return Buffer.from([5, methods.length, ...methods]);
  }

  #method(): HandshakeStep<void> | undefined {
    this.#expect(0, 5);
    if (this.#bytes.length < 2) return undefined;
    const method = this.#take(2)[1];
    if (method === 0) return this.#ask();
    if (method === 2 && this.#credentials !== undefined) {
      this.#state = "password";
      return { type: "write", bytes: passwordOf(this.#credentials) };
    }
    if (method !== NO_METHOD) {
      throw new ProxyRefusal("NEXT_PROXY_ANSWER", `chose authentication method ${method}, which was not offered to it`);
    }
    throw new ProxyRefusal(
      "NEXT_PROXY_AUTH",
      this.#credentials === undefined
        ? "wants authentication: put a name and a password into its URL, socks5h://user:password@host:port"
        : "accepts neither a name and password nor none: no other way to authenticate is supported",
    );
  }

  #password(): HandshakeStep<void> | undefined {
    if (this.#bytes.length < 2) return undefined;
    // The version of RFC 1929 is 1; proxies that say 5 here are known, and only the status matters.
    if (this.#take(2)[1] === 0) return this.#ask();
    throw new ProxyRefusal("NEXT_PROXY_AUTH", "does not accept the name and password in its URL");
  }

  #ask(): HandshakeStep<void> {
    this.#state = "connect";
    return { type: "write", bytes: requestOf(this.#target) };
  }

  #connect(): HandshakeStep<void> | undefined {
    this.#expect(0, 5);
    if (this.#bytes.length < 5) return undefined;
    const [, reply, , type, first] = this.#bytes as unknown as [number, number, number, number, number];
    if (reply !== 0) {
      const [code, text] = REPLIES[reply] ?? ["NEXT_PROXY_REFUSED", "an unknown reason"];
      throw new ProxyRefusal(code, `opens no tunnel: ${text} (reply ${reply})`);
    }
    const length = 6 + ({ 1: 4, 3: 1 + first, 4: 16 }[type] ?? NaN);
    if (Number.isNaN(length)) throw new ProxyRefusal("NEXT_PROXY_ANSWER", `answers with an address of type ${type}`);
    if (this.#bytes.length < length) return undefined;
    this.#take(length);
    this.#state = "over";
    return { type: "done", value: undefined };
  }

  #expect(at: number, version: number): void {
    const byte = this.#bytes[at];
    if (byte === undefined || byte === version) return;
    throw new ProxyRefusal(
      "NEXT_PROXY_ANSWER",
      `does not answer in SOCKS 5: its first byte is 0x${byte.toString(16).padStart(2, "0")}${soundsLike(byte)}`,
    );
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}

function passwordOf(credentials: ProxyCredentials): Buffer {
  const username = Buffer.from(credentials.username);
  const password = Buffer.from(credentials.password);
  return Buffer.concat([Buffer.of(1, username.length), username, Buffer.of(password.length), password]);
}

function requestOf({ hostname, port }: ProxyTarget): Buffer {
  const bare = bareHost(hostname);
  const family = isIP(bare);
  const address = family === 0 ? nameOf(bare) : Buffer.from(addressBytes(bare)!);
  const type = { 0: 3, 4: 1, 6: 4 }[family]!;
  return Buffer.concat([Buffer.of(5, 1, 0, type), address, Buffer.of(port >> 8, port & 0xff)]);
}

function nameOf(hostname: string): Buffer {
  const name = Buffer.from(hostname);
  if (name.length > 255) {
    throw new ProxyRefusal("NEXT_PROXY_REFUSED", "cannot be asked: SOCKS 5 carries names of up to 255 bytes");
  }
  return Buffer.concat([Buffer.of(name.length), name]);
}
