/**
 * The server's end of a WebSocket, as handlers know it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { OptionsError } from "../flow/error.ts";
import { type Listener, type ListenerOptions, Listeners, makeEvent } from "../rules/msw/event.ts";
import type { WebSocketAnswer, WebSocketClientLine, WebSocketData } from "../flow/websocket_answer.ts";

/** Listens to a {@linkcode GatewaySocket}; what it throws ends the flow with `HOOK_FAILED`. */
export type SocketListener<E> = ((event: E) => unknown) | null;

/** What `onmessage` is told. */
export type SocketMessage = Event & { readonly data: string | Blob | ArrayBuffer };

/** What `onclose` is told. */
export type SocketClose = Event & { readonly code: number; readonly reason: string; readonly wasClean: boolean };

/**
 * A WebSocket with the interface that the platform's has: what `Deno.upgradeWebSocket` gives, on every runtime. It opens when the client has
 * the response.
 */
export class GatewaySocket {
  /** State: the handler has not answered yet. */
  static readonly CONNECTING = 0;
  /** State: messages can be sent. */
  static readonly OPEN = 1;
  /** State: it has been closed here, and the client has not agreed yet. */
  static readonly CLOSING = 2;
  /** State: it is over. */
  static readonly CLOSED = 3;

  /** `0`. */
  readonly CONNECTING = 0;
  /** `1`. */
  readonly OPEN = 1;
  /** `2`. */
  readonly CLOSING = 2;
  /** `3`. */
  readonly CLOSED = 3;

  /** The URL of the request, with `ws` or `wss`. */
  readonly url: string;
  /** The subprotocol that was chosen; `""` is none. */
  readonly protocol: string;
  /** Always `""`: nothing is compressed. */
  readonly extensions: string = "";
  /** What `event.data` of binary messages is. `"blob"` by default, as everywhere. */
  binaryType: "blob" | "arraybuffer" = "blob";
  /** Called when it is open. */
  onopen: SocketListener<Event> = null;
  /** Called with each message of the client. */
  onmessage: SocketListener<SocketMessage> = null;
  /** Called once when it is over. */
  onclose: SocketListener<SocketClose> = null;
  /** Called before `onclose` when the connection was cut. */
  onerror: SocketListener<Event> = null;

  readonly #listeners = new Listeners((error) => this.#line?.fail(error));
  #line: WebSocketClientLine | undefined;
  #state: 0 | 1 | 2 | 3 = 0;
  #sending: Promise<void> | undefined;
  #queued = 0;
  #close: (() => void) | undefined;

  /** @ignore Use {@linkcode HandlerInfo.upgrade}. */
  constructor(url: string, protocol: string) {
    this.url = url;
    this.protocol = protocol;
    this.#listeners.add("open", (event) => this.onopen?.(event));
    this.#listeners.add("message", (event) => this.onmessage?.(event as SocketMessage));
    this.#listeners.add("close", (event) => this.onclose?.(event as SocketClose));
    this.#listeners.add("error", (event) => this.onerror?.(event));
  }

  /** Listens to `open`, `message`, `close` or `error`. */
  addEventListener(type: string, listener: Listener, options?: ListenerOptions): void {
    this.#listeners.add(type, listener, options);
  }

  /** Listens no more. */
  removeEventListener(type: string, listener: Listener): void {
    this.#listeners.remove(type, listener);
  }

  /** {@linkcode GatewaySocket.CONNECTING} to {@linkcode GatewaySocket.CLOSED}. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#state;
  }

  /** How many bytes of Blobs wait until they have been read. */
  get bufferedAmount(): number {
    return this.#queued;
  }

  /**
   * Sends a message. Nothing happens once it is closed.
   *
   * @throws {DOMException} `InvalidStateError`: it is not open yet
   * @throws {OptionsError} it is neither text nor bytes
   */
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void {
    if (this.#state === 0) {
      throw new DOMException("the WebSocket is not open yet: wait for its event open", "InvalidStateError");
    }
    if (this.#state !== 1) return;
    if (!(data instanceof Blob)) {
      const message = toData(data);
      if (this.#sending === undefined) return this.#line!.send(message);
      return this.#later(() => message, message.length);
    }
    this.#later(async () => new Uint8Array(await data.arrayBuffer()), data.size);
  }

  /**
   * Closes it.
   *
   * @param code 1000, or 3000 to 4999
   * @throws {DOMException} `InvalidAccessError`: another code; `SyntaxError`: a reason of more than 123 bytes
   */
  close(code?: number, reason: string = ""): void {
    if (code !== undefined && code !== 1000 && !(Number.isInteger(code) && code >= 3000 && code <= 4999)) {
      throw new DOMException(
        `a WebSocket cannot be closed with the code ${code}: 1000 or 3000 to 4999`,
        "InvalidAccessError",
      );
    }
    if (Buffer.byteLength(reason) > 123) throw new DOMException("the reason has more than 123 bytes", "SyntaxError");
    if (this.#state >= 2) return;
    this.#state = 2;
    const close = this.#close = () => this.#line?.close(code ?? 1005, code === undefined ? "" : reason);
    if (this.#sending === undefined) close();
    else void this.#sending.then(close);
  }

  /** For the proxy: speaks for the server. */
  get answer(): WebSocketAnswer {
    return {
      open: (line) => {
        this.#line = line;
        if (this.#state === 0) this.#state = 1;
        else this.#close?.();
        if (this.#state === 1) this.#tell(new Event("open"));
        return {
          message: (data) => this.#tell(new MessageEvent("message", { data: this.#dataOf(data) })),
          close: (code, reason) => this.#over(code, reason),
        };
      },
    };
  }

  /** For the proxy: the handler has answered otherwise. */
  refused(): void {
    this.#over(1006, "");
  }

  #over(code: number, reason: string): void {
    if (this.#state === 3) return;
    this.#state = 3;
    if (code === 1006) this.#tell(new Event("error"));
    this.#tell(new Event("close"), { code, reason, wasClean: code !== 1006 });
  }

  #dataOf(data: WebSocketData): string | ArrayBuffer | Blob {
    if (typeof data === "string") return data;
    const own = new Uint8Array(data);
    return this.binaryType === "arraybuffer" ? own.buffer : new Blob([own]);
  }

  #tell(event: Event, more: object = {}): void {
    this.#listeners.dispatch(makeEvent(event, this, more));
  }

  #later(read: () => WebSocketData | Promise<WebSocketData>, size: number): void {
    this.#queued += size;
    const sent: Promise<void> = (this.#sending ?? Promise.resolve())
      .then(read)
      .then((data) => this.#line!.send(data), (error) => this.#line!.fail(error))
      .finally(() => {
        this.#queued -= size;
        if (this.#sending === sent) this.#sending = undefined;
      });
    this.#sending = sent;
  }
}

function toData(data: unknown): WebSocketData {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer);
  }
  throw new OptionsError(`a WebSocket message is text or bytes, not ${data === null ? "null" : typeof data}`);
}
