/** A WebSocket whose server sends back what it gets: the next message leaves when the last one has come back. */
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Socket } from "node:net";
import { handshakeRequest, isAccepted, readMessages, textFrame } from "../websocket.ts";
import { type Destination, dial, type Endpoint } from "./connect.ts";
import type { Exchange, Lane } from "./lane.ts";

/** The rest of a message, so that it is of some length. */
const FILLER = " ".padEnd(120 - "/items/000000".length, "a message of some length ");

export class WebSocketLane implements Lane {
  readonly #socket: Socket;
  #expected: string | undefined;
  #next: (() => Exchange | undefined) | undefined;
  #finished: PromiseWithResolvers<number> | undefined;
  #completed = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    readMessages(socket, (text) => this.#receive(text));
    socket.on("error", (error) => this.#finished?.reject(error));
    socket.on("close", () => this.#fail("it was closed in the middle of a conversation"));
  }

  static async open(endpoint: Endpoint, { host, port }: Destination): Promise<WebSocketLane> {
    const socket = await dial(endpoint.port);
    socket.write(handshakeRequest(`http://${host}:${port}/echo`, `${host}:${port}`));
    const [head] = await once(socket, "data") as [Buffer];
    if (!isAccepted(head.toString("latin1"))) throw new Error(`no WebSocket:\n${head.toString("latin1")}`);
    socket.removeAllListeners("data");
    return new WebSocketLane(socket);
  }

  run(next: () => Exchange | undefined): Promise<number> {
    this.#finished = Promise.withResolvers();
    this.#next = next;
    this.#completed = 0;
    this.#send();
    return this.#finished.promise;
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #send(): void {
    const exchange = this.#next?.();
    if (exchange === undefined) return this.#finished?.resolve(this.#completed);
    this.#expected = exchange.path + FILLER;
    this.#socket.write(textFrame(this.#expected, { masked: true }));
  }

  #receive(text: string): void {
    if (text !== this.#expected) return this.#fail(`a wrong message came: ${text}`);
    this.#completed++;
    this.#send();
  }

  #fail(why: string): void {
    this.#finished?.reject(new Error(`a WebSocket failed: ${why}`));
    this.close();
  }
}
