/**
 * The client's side of HTTP CONNECT (RFC 9110 section 9.3.6), without I/O.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { FlowHeaders } from "../../../flow/headers.ts";
import type { ResponseHead } from "../../http1/head.ts";
import { Http1Parser } from "../../http1/parser.ts";
import { ProtocolError } from "../../http1/protocol_error.ts";
import { ProxyRefusal, soundsLike } from "./proxy_refusal.ts";
import type { Handshake, HandshakeStep } from "./run_handshake.ts";
import { type ProxyTarget, targetName } from "./upstream_proxy.ts";

/** The "H" of "HTTP/1.1 200 OK". */
const LETTER_H = 0x48;

const AUTHORIZED = /^proxy-authorization:/im;

/** What the proxy said when it opened the tunnel. */
export interface ConnectAnswer {
  /** 200 to 299. */
  readonly status: number;
}

/** Asks an HTTP proxy for a tunnel. */
export class HttpConnectHandshake implements Handshake<ConnectAnswer> {
  readonly #parser: Http1Parser = new Http1Parser("response");
  readonly #authorization: string | undefined;
  #request: Buffer | undefined;
  #first: number | undefined;

  /**
   * @param authorization the value of Proxy-Authorization
   * @param fields whole lines; the default is Host. Proxy-Authorization in them goes before the other
   */
  constructor(target: ProxyTarget, authorization?: string, fields: string = hostField(target)) {
    this.#authorization = authorization;
    this.#request = Buffer.from(
      `CONNECT ${targetName(target)} HTTP/1.1\r\n${fields}` +
        (authorization === undefined || AUTHORIZED.test(fields) ? "" : `Proxy-Authorization: ${authorization}\r\n`) +
        "\r\n",
      "latin1",
    );
    this.#parser.answers("CONNECT");
  }

  /** Takes bytes of the proxy. */
  push(bytes: Uint8Array): void {
    this.#first ??= bytes[0];
    this.#parser.push(bytes);
  }

  /**
   * The next step.
   *
   * @throws {ProxyRefusal} the proxy does not open the tunnel, or does not speak HTTP
   */
  next(): HandshakeStep<ConnectAnswer> | undefined {
    if (this.#request !== undefined) {
      const bytes = this.#request;
      this.#request = undefined;
      return { type: "write", bytes };
    }
    const head = this.#finalHead();
    if (head === undefined) return undefined;
    if (head.status >= 200 && head.status < 300) return { type: "done", value: { status: head.status } };
    throw this.#refusal(head);
  }

  /** What came after the head: servers of some protocols speak first. */
  rest(): Buffer {
    return this.#parser.rest();
  }

  #finalHead(): ResponseHead | undefined {
    // Said at once: whoever speaks something else may never send what the parser waits for.
    if (this.#first !== undefined && this.#first !== LETTER_H) {
      const byte = this.#first.toString(16).padStart(2, "0");
      throw new ProxyRefusal(
        "NEXT_PROXY_ANSWER",
        `does not answer in HTTP: its first byte is 0x${byte}${soundsLike(this.#first)}`,
      );
    }
    try {
      for (let event = this.#parser.next(); event !== undefined; event = this.#parser.next()) {
        if (event.type !== "head") continue;
        const head = event.head as ResponseHead;
        // Interim responses (RFC 9110 section 15.2) leave the question open; 101 answers another one.
        if (head.status >= 200 || head.status === 101) return head;
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new ProxyRefusal(
        "NEXT_PROXY_ANSWER",
        `does not answer in HTTP: ${error.message}${soundsLike(this.#first)}`,
        {
          cause: error,
        },
      );
    }
  }

  #refusal({ status, reason, fields }: ResponseHead): ProxyRefusal {
    const answered = `answered ${status}${reason === "" ? "" : ` ${reason}`}`;
    if (status === 508) {
      throw new ProxyRefusal("LOOP", `${answered}: the proxies on the way send requests to one another`);
    }
    if (status !== 407) {
      const what = status < 200
        ? "which does not answer CONNECT"
        : "which opens no tunnel: ask it, or its log, for the reason";
      return new ProxyRefusal("NEXT_PROXY_REFUSED", `${answered}, ${what}`);
    }
    const schemes = FlowHeaders.fromFields(fields).getAll("proxy-authenticate").map((it) => it.split(/[\s,]/, 1)[0]!);
    const basic = schemes.length === 0 || schemes.some((it) => it.toLowerCase() === "basic");
    const what = !basic
      ? `it wants ${schemes.join(" or ")}, but flowtape knows only Basic`
      : this.#authorization === undefined
      ? "it wants a name and a password: put them into its URL, http://user:password@host:port"
      : "it does not accept the name and password in its URL";
    return new ProxyRefusal("NEXT_PROXY_AUTH", `${answered}: ${what}`);
  }
}

// A CONNECT cannot do without it (RFC 9112 section 3.2).
function hostField(target: ProxyTarget): string {
  return `Host: ${targetName(target)}\r\n`;
}
