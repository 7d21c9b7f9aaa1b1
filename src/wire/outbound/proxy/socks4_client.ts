/**
 * The client's side of SOCKS 4 and 4a, without I/O.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { bareHost } from "../../../flow/authority.ts";
import { addressBytes } from "./ip_address.ts";
import { ProxyRefusal, soundsLike } from "./proxy_refusal.ts";
import type { Handshake, HandshakeStep } from "./run_handshake.ts";
import type { ProxyTarget } from "./upstream_proxy.ts";

const REPLY_LENGTH = 8;
const GRANTED = 0x5a;
const REPLIES: Readonly<Record<number, readonly [code: string, text: string]>> = {
  0x5b: ["NEXT_PROXY_REFUSED", "rejected or failed"],
  0x5c: ["NEXT_PROXY_AUTH", "it cannot ask identd here who we are"],
  0x5d: ["NEXT_PROXY_AUTH", "identd here gives another name than its URL"],
};

/** Asks a SOCKS 4 proxy for a tunnel; with a name instead of an address that is 4a. */
export class Socks4Handshake implements Handshake<void> {
  readonly #target: ProxyTarget;
  readonly #username: string;
  #bytes: Buffer = Buffer.alloc(0);
  #asked = false;

  /** @param target a name, or an address of IPv4 */
  constructor(target: ProxyTarget, username = "") {
    this.#target = target;
    this.#username = username;
  }

  /** Takes bytes of the proxy. */
  push(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
  }

  /**
   * The next step.
   *
   * @throws {ProxyRefusal} the proxy does not open the tunnel, or does not speak SOCKS 4
   */
  next(): HandshakeStep<void> | undefined {
    if (!this.#asked) {
      this.#asked = true;
      return { type: "write", bytes: requestOf(this.#target, this.#username) };
    }
    const version = this.#bytes[0];
    if (version === undefined) return undefined;
    // The version of a reply is 0; some proxies say 4.
    if (version !== 0 && version !== 4) {
      throw new ProxyRefusal(
        "NEXT_PROXY_ANSWER",
        `does not answer in SOCKS 4: its first byte is 0x${version.toString(16).padStart(2, "0")}${
          soundsLike(version)
        }`,
      );
    }
    if (this.#bytes.length < REPLY_LENGTH) return undefined;
    const reply = this.#bytes[1]!;
    if (reply !== GRANTED) {
      const [code, text] = REPLIES[reply] ?? ["NEXT_PROXY_REFUSED", "an unknown reason"];
      throw new ProxyRefusal(code, `opens no tunnel: ${text} (reply ${reply})`);
    }
    this.#bytes = this.#bytes.subarray(REPLY_LENGTH);
    return { type: "done", value: undefined };
  }

  /** What came after the reply. */
  rest(): Buffer {
    return this.#bytes;
  }
}

function requestOf({ hostname, port }: ProxyTarget, username: string): Buffer {
  const bare = bareHost(hostname);
  const family = isIP(bare);
  if (family === 6) {
    throw new ProxyRefusal("NEXT_PROXY_REFUSED", "cannot be asked for an address of IPv6: use socks5:// for the proxy");
  }
  return Buffer.concat([
    Buffer.of(4, 1, port >> 8, port & 0xff),
    // 4a: an impossible address 0.0.0.1 says that a name follows.
    Buffer.from(family === 4 ? addressBytes(bare)! : [0, 0, 0, 1]),
    Buffer.from(`${username}\0`),
    Buffer.from(family === 4 ? "" : `${bare}\0`),
  ]);
}
