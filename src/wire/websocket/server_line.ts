/**
 * The real server of a WebSocket that an addon answers, connected to because the addon wants it.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import type { WebSocketData, WebSocketLine, WebSocketServerListener } from "../../flow/websocket_answer.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { UpstreamStream, UpstreamUser } from "../exchange/upstream_stream.ts";
import type { Detached } from "../exchange/upgrade.ts";
import type { ResponseHead } from "../http1/head.ts";
import { Outgoing } from "../outgoing.ts";
import { Watch } from "../watch.ts";
import { ABNORMAL } from "./close.ts";
import { Endpoint } from "./endpoint.ts";
import { checkSwitch } from "./handshake.ts";

/** How long the server may take to close its connection when all is said, in milliseconds. */
const LINGER_MS = 1000;
/** More than this many bytes waiting for a server ends the line: an addon that sends does not hear of a server that does not read. */
const MAX_BACKLOG = 64 * 1024 * 1024;

/** A WebSocket of the proxy's own, with the handshake of its client. */
export class ServerLine implements WebSocketLine, UpstreamUser {
  readonly #exchange: Exchange;
  readonly #handshake: string;
  readonly #listener: Required<WebSocketServerListener>;
  readonly #endpoint: Endpoint;
  readonly #watch = new Watch(() => this.destroy());
  #stream: UpstreamStream | undefined;
  #socket: Duplex | undefined;
  #out: Outgoing | undefined;
  #waiting: Uint8Array[] | undefined = [];
  #waitingBytes = 0;
  #paused = false;
  #told = false;
  #destroyed = false;

  /**
   * Nothing happens before {@linkcode ServerLine.open}.
   *
   * @param handshake the field lines that ask the server for a WebSocket
   * @param listener does not throw
   */
  constructor(exchange: Exchange, handshake: string, listener: Required<WebSocketServerListener>) {
    this.#exchange = exchange;
    this.#handshake = handshake;
    this.#listener = listener;
    this.#endpoint = new Endpoint("client", {
      bytes: (bytes) => this.#write(bytes),
      message: (data) => void listener.message(data),
      closed: (code, reason, error) => {
        if (error !== undefined) void listener.error({ code: error.code, message: error.message });
        this.#closed(code, reason);
      },
    });
  }

  /** @inheritdoc */
  get closed(): boolean {
    return this.#endpoint.closing || this.#told;
  }

  /** Whether the server should be given no more for now. */
  get full(): boolean {
    return !this.#destroyed && (this.#out?.full ?? this.#waitingBytes > 0);
  }

  /** Calls once when the server has taken what was sent, or will never take it. */
  onDrained: (() => void) | undefined;

  /** Connects. */
  async open(): Promise<void> {
    const { flow, head, context } = this.#exchange;
    try {
      if (context.observer.offline()) {
        const message = `${flow.request.url} was not connected to: the tape replays, and nothing reaches the network`;
        throw new FlowtapeError("OFFLINE", message);
      }
      const stream = await context.upstream.connect(flow);
      if (this.#destroyed) return stream.destroy();
      this.#stream = stream;
      stream.send({ flow, head, continued: false, handshake: this.#handshake }, this).end("");
    } catch (error) {
      const code = error instanceof FlowtapeError ? error.code : "UPSTREAM_CLOSED";
      this.#fail({ code, message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** @inheritdoc */
  send(data: WebSocketData): void {
    if (!this.closed) this.#endpoint.send(data);
  }

  /** @inheritdoc */
  close(code: number = 1000, reason: string = ""): void {
    if (this.closed) return;
    if (code === ABNORMAL) return this.destroy();
    this.#endpoint.close(code, reason);
    this.#watch.set(LINGER_MS);
  }

  /** Nothing is read for now. */
  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  /** Reads on. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  /** Cuts the connection. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#watch.close();
    this.#stream?.destroy();
    this.#socket?.destroy();
    this.#waiting = undefined;
    this.#closed(ABNORMAL, "");
    this.#drained();
  }

  /** @inheritdoc */
  upstreamHead(head: ResponseHead): void {
    if (head.status < 200 && head.status !== 101) return;
    const stream = this.#stream!;
    stream.stop();
    if (head.status !== 101) {
      const message = `the server answered the request for a WebSocket with ${head.status} ${head.reason}`.trimEnd();
      return this.#fail({ code: "WS_REFUSED", message });
    }
    const said = FlowHeaders.fromFields(head.fields);
    try {
      checkSwitch(FlowHeaders.fromFields(this.#handshake), said);
    } catch (error) {
      const { code, message } = error as FlowtapeError;
      return this.#fail({ code, message });
    }
    this.#stream = undefined;
    this.#start(stream.detach!(), said.get("sec-websocket-protocol") ?? "");
  }

  /** @inheritdoc */
  upstreamData(): boolean {
    return true;
  }

  /** @inheritdoc */
  upstreamEnd(): void {}

  /** @inheritdoc */
  upstreamFailed(error: FlowError): void {
    this.#fail(error);
  }

  /** @inheritdoc */
  upstreamRefused(error: FlowError): void {
    this.#fail(error);
  }

  #start({ stream, early }: Detached, protocol: string): void {
    const out = this.#out = new Outgoing(stream);
    const waiting = this.#waiting!;
    this.#socket = stream;
    this.#waiting = undefined;
    this.#waitingBytes = 0;
    stream.on("error", () => {});
    stream.on("data", (bytes: Uint8Array) => this.#endpoint.push(bytes));
    stream.on("end", () => this.#ended());
    stream.on("close", () => this.destroy());
    void this.#listener.open(protocol);
    for (const bytes of waiting) out.push(bytes);
    this.#endpoint.push(early);
    if (this.#paused) stream.pause();
    else stream.resume();
    if (stream.destroyed) this.destroy();
    else if (stream.readableEnded) this.#ended();
    this.#drained();
  }

  #write(bytes: Uint8Array): void {
    if (this.#destroyed) return;
    if (this.#out !== undefined) {
      if (!this.#out.push(bytes)) this.#out.drained(() => this.#drained());
      if (this.#out.backlog > MAX_BACKLOG) this.#flooded();
      return;
    }
    this.#waiting?.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MAX_BACKLOG) this.#flooded();
  }

  #flooded(): void {
    this.#fail({
      code: "WS_BACKLOG",
      message: `more than ${MAX_BACKLOG} bytes wait for a server that does not read them`,
    });
  }

  #drained(): void {
    const callback = this.onDrained;
    this.onDrained = undefined;
    callback?.();
  }

  #ended(): void {
    this.#closed(ABNORMAL, "");
    this.#out?.end();
    this.#watch.set(LINGER_MS);
  }

  #fail(error: FlowError): void {
    if (!this.#told && !this.#destroyed) void this.#listener.error(error);
    this.destroy();
  }

  // Our own close frame is answered by the server: that is the end too.
  #closed(code: number, reason: string): void {
    if (!this.#destroyed) {
      this.#out?.end();
      this.#watch.set(LINGER_MS);
    }
    if (this.#told) return;
    this.#told = true;
    void this.#listener.close(code, reason);
  }
}
