/**
 * The server's side of SOCKS 4, 4a and 5 without I/O: bytes in, replies and one request out.
 *
 * @example
 * ```ts
 * const handshake = new SocksHandshake();
 * handshake.push(Uint8Array.of(5, 1, 0)); // SOCKS 5, one method: no authentication
 * console.log(handshake.next()); // { type: "write", bytes: <05 00> }
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Handshake, HandshakeStep } from "../../outbound/proxy/run_handshake.ts";
import type { Trail } from "../../trail.ts";
import { trailIn } from "../../trail_methods.ts";
import { sameCredentials, type SocksCredentials } from "./credentials.ts";
import type { SocksRequest } from "./destination.ts";
import { readSocks4 } from "./socks4.ts";
import { METHOD, readGreeting, readPassword, readRequest } from "./socks5.ts";
import { socks4Reply, socks5Reply, SocksError, type SocksRefusal } from "./socks_error.ts";

/** What is asked of clients. */
export interface SocksHandshakeOptions {
  /** What clients must send. SOCKS 4, which cannot, is refused then. Without it any name and password will do. */
  readonly auth?: SocksCredentials;
}

type State = "version" | "socks4" | "greeting" | "password" | "request" | "over";

/** Reads what a client sends until it has asked for a connection. */
export class SocksHandshake implements Handshake<SocksRequest> {
  readonly #auth: SocksCredentials | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #state: State = "version";
  #version = 0;
  #username = "";
  #trail: Trail = [];
  #failure: SocksError | undefined;

  /** @param options what is asked of clients */
  constructor(options: SocksHandshakeOptions = {}) {
    this.#auth = options.auth;
  }

  /** 4 or 5; 0 before the first byte. */
  get version(): number {
    return this.#version;
  }

  /** Takes bytes. */
  push(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
  }

  /**
   * The next step: something to write, or the request, after which nothing is read any more. `undefined`: more bytes are
   * needed.
   *
   * @throws {SocksError} the client is refused; its `reply` says so to it. The same at every further call.
   */
  next(): HandshakeStep<SocksRequest> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#step();
    } catch (error) {
      if (error instanceof SocksError) this.#failure = error;
      throw error;
    }
  }

  /** What came after the request: some clients do not wait for the answer. */
  rest(): Buffer {
    return this.#take(this.#bytes.length);
  }

  /** What is written when the connection is there. */
  granted(): Buffer {
    return this.#version === 4 ? socks4Reply() : socks5Reply();
  }

  /** What is written when there will be no connection; it is to be closed then. */
  refused(reason: SocksRefusal): Buffer {
    return this.#version === 4 ? socks4Reply(reason) : socks5Reply(reason);
  }

  #step(): HandshakeStep<SocksRequest> | undefined {
    if (this.#state === "version" && this.#bytes.length > 0) this.#readVersion();
    switch (this.#state) {
      case "socks4":
        return this.#socks4();
      case "greeting":
        return this.#greeting();
      case "password":
        return this.#password();
      case "request":
        return this.#request();
      default:
        return undefined;
    }
  }

  #readVersion(): void {
    this.#version = this.#bytes[0]!;
    if (this.#version === 4) this.#state = "socks4";
    else if (this.#version === 5) this.#state = "greeting";
    else throw new SocksError("SOCKS_VERSION", `The client speaks SOCKS ${this.#version}: 4 and 5 are supported.`);
  }

  #socks4(): HandshakeStep<SocksRequest> | undefined {
    const read = readSocks4(this.#bytes);
    if (read === undefined) return undefined;
    if (this.#auth !== undefined) {
      throw new SocksError(
        "SOCKS_AUTH",
        "The client speaks SOCKS 4, which has no passwords, but one is asked for: let it use socks5h:// with a name and " +
          "a password.",
        socks4Reply("notAllowed"),
      );
    }
    return this.#done(read);
  }

  #greeting(): HandshakeStep<SocksRequest> | undefined {
    const read = readGreeting(this.#bytes);
    if (read === undefined) return undefined;
    const method = [METHOD.NONE, METHOD.PASSWORD].find((it) =>
      read.methods.includes(it) && (this.#auth === undefined || it === METHOD.PASSWORD)
    );
    if (method === undefined) {
      const offered = read.methods.length === 0 ? "none" : read.methods.join(", ");
      throw new SocksError(
        this.#auth === undefined ? "SOCKS_METHOD" : "SOCKS_AUTH",
        this.#auth === undefined
          ? `The SOCKS 5 client offers the methods ${offered}: no authentication (0) and a password (2) are supported.`
          : `The SOCKS 5 client offers the methods ${offered}, but a password (2) is asked for: put it into the URL of ` +
            `the proxy.`,
        Buffer.from([5, METHOD.UNACCEPTABLE]),
      );
    }
    this.#trail = trailIn(read.methods);
    this.#take(read.length);
    this.#state = method === METHOD.NONE ? "request" : "password";
    return { type: "write", bytes: Buffer.from([5, method]) };
  }

  #password(): HandshakeStep<SocksRequest> | undefined {
    if (this.#bytes.length > 0 && this.#bytes[0] !== 1) throw malformedPassword(this.#bytes[0]!);
    const read = readPassword(this.#bytes);
    if (read === undefined) return undefined;
    if (this.#auth !== undefined && !sameCredentials(this.#auth, read.username, read.password)) {
      throw new SocksError(
        "SOCKS_AUTH",
        "The SOCKS 5 client sent a wrong name or password: compare those in its proxy URL with the option auth.",
        Buffer.from([1, 1]),
      );
    }
    this.#username = Buffer.from(read.username).toString();
    this.#take(read.length);
    this.#state = "request";
    return { type: "write", bytes: Buffer.from([1, 0]) };
  }

  #request(): HandshakeStep<SocksRequest> | undefined {
    const read = readRequest(this.#bytes);
    return read && this.#done(read);
  }

  #done({ request, length }: { request: SocksRequest; length: number }): HandshakeStep<SocksRequest> {
    this.#take(length);
    this.#state = "over";
    const value = {
      ...request,
      ...(this.#username !== "" && { username: this.#username }),
      ...(this.#trail.length > 0 && { trail: this.#trail }),
    };
    return { type: "done", value };
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}

// RFC 1929 section 2: any status but 0 is a failure.
function malformedPassword(version: number): SocksError {
  return new SocksError(
    "SOCKS_MALFORMED",
    `The SOCKS 5 client began its name and password with ${version} instead of the version 1 (RFC 1929).`,
    Buffer.from([1, 1]),
  );
}
