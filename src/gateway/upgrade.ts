/**
 * WebSockets that a handler takes.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { FlowtapeError, OptionsError } from "../flow/error.ts";
import { FlowHeaders, type HeadersLike } from "../flow/headers.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { FlowResponse, reasonOf } from "../flow/response.ts";
import type { AppAnswer } from "../wire/app/application.ts";
import type { HandlerInfo } from "./handler.ts";
import { GatewaySocket } from "./socket.ts";

/** What {@linkcode HandlerInfo.upgrade} takes. */
export interface UpgradeOptions {
  /** One of the subprotocols that the client offers. None by default. */
  protocol?: string;
  /** Fields of the response. */
  headers?: HeadersLike;
}

/** What {@linkcode HandlerInfo.upgrade} gives. */
export interface UpgradedSocket {
  /** To be returned by the handler. */
  readonly response: Response;
  /** Opens when the client has the response. */
  readonly socket: GatewaySocket;
}

/** What {@linkcode HandlerInfo.switchTo} takes. */
export interface SwitchOptions {
  /** The fields of the 101, those of the handshake too. */
  headers: HeadersLike;
  /** Carries frames of WebSocket from now on. */
  stream: Duplex;
  /** What was read of them already. Nothing by default. */
  early?: Uint8Array;
}

/**
 * Takes the WebSocket that a client asks for, as `Deno.upgradeWebSocket` does.
 *
 * @example
 * ```ts
 * import { mount, upgrade } from "flowtape/gateway";
 *
 * const gateway = mount((request, info) => {
 *   if (request.headers.get("upgrade") !== "websocket") return new Response("no WebSocket", { status: 426 });
 *   const { socket, response } = upgrade(info);
 *   socket.onmessage = (event) => socket.send(`echo: ${event.data}`);
 *   return response;
 * });
 * ```
 *
 * @throws {FlowtapeError} `NO_WEBSOCKET`: the client has not asked for one, or the server has no connection to hand over
 */
export function upgrade(info: Partial<HandlerInfo>, options: UpgradeOptions = {}): UpgradedSocket {
  if (info.upgrade === undefined) {
    throw new FlowtapeError(
      "NO_WEBSOCKET",
      "there is no WebSocket to upgrade to: the client has not asked for one, or this server does not hand over its connections",
    );
  }
  return info.upgrade(options);
}

/** Makes both ways to take a WebSocket for one request, and finds what was taken in what the handler returns. */
export class Upgrades {
  readonly #request: Request;
  #taken: { answer: AppAnswer; refused: () => void } | undefined;

  /** @param request asks for a WebSocket */
  constructor(request: Request) {
    this.#request = request;
  }

  /** {@linkcode HandlerInfo.upgrade}. */
  readonly upgrade = (options: UpgradeOptions = {}): UpgradedSocket => {
    const { protocol, headers = [] } = options;
    const fields = FlowHeaders.from(headers);
    if (protocol !== undefined) {
      const offered = (this.#request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
      if (!offered.includes(protocol)) {
        const offer = offered.filter(Boolean).join(", ") || "none";
        throw new OptionsError(
          `upgrade({ protocol: ${describeValue(protocol)} }): the client offers ${offer}`,
        );
      }
      fields.set("Sec-WebSocket-Protocol", protocol);
    }
    const socket = new GatewaySocket(this.#request.url.replace(/^http/, "ws"), protocol ?? "");
    const response = this.#take({
      answer: FlowResponse.switchToWebSocket(socket.answer, fields),
      refused: () => socket.refused(),
    });
    return { socket, response };
  };

  /** {@linkcode HandlerInfo.switchTo}. */
  readonly switchTo = ({ headers, stream, early = new Uint8Array(0) }: SwitchOptions): Response => {
    const response = FlowResponse.create({ headers });
    response.status = 101;
    response.reason = reasonOf(101);
    return this.#take({ answer: { response, stream, early }, refused: () => void stream.destroy() });
  };

  /**
   * What is to be sent for what the handler has returned. A wrapper around the handler may have made a new Response of the one that it
   * was given: one that does not refuse stands for it.
   */
  answerFor(response: Response | undefined): AppAnswer | undefined {
    const taken = this.#taken;
    if (taken === undefined) return undefined;
    if (response !== undefined && response.status < 300) return taken.answer;
    this.refuse();
    return undefined;
  }

  /** Nothing came of it. */
  refuse(): void {
    this.#taken?.refused();
  }

  #take(taken: { answer: AppAnswer; refused: () => void }): Response {
    if (this.#taken !== undefined) {
      throw new FlowtapeError("NO_WEBSOCKET", "the WebSocket of this request was taken already");
    }
    this.#taken = taken;
    // No runtime makes a Response with this status (Fetch standard, section 5.5).
    const response = new Response(null);
    Object.defineProperty(response, "status", { value: 101 });
    Object.defineProperty(response, "statusText", { value: reasonOf(101) });
    return response;
  }
}
