/**
 * A server that may be the one to speak first.
 *
 * @module
 */
import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import type { Peer } from "../../flow/peer.ts";
import { TcpFlow } from "../../flow/tcp_flow.ts";
import { connectFlow, type TunnelTarget } from "../inbound/connect_flow.ts";
import { look } from "../inbound/look.ts";
import type { WireContext } from "../wire_context.ts";

/**
 * How much longer a client may be silent whose server cannot be connected to, in milliseconds. If it waits for the server it should
 * learn that there is none; if it is only slow to ask for something that a rule answers, no server is needed.
 */
const GRACE_MS = 2000;

/**
 * Connects to the server of a client that says nothing, and listens to hear whether the server speaks first. Nothing is decided
 * by that alone: a client that is only slow finds the proxy as it would have before.
 */
export class ServerGreeting {
  /** What it will be if it becomes a conversation. */
  readonly flow: TcpFlow;
  /** Fulfilled when the server has spoken or hung up; and when it is time to say that there is none. */
  readonly heard: Promise<void>;

  readonly #connecting: Promise<Socket> | undefined;
  readonly #left = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #gone = false;

  /** @param route where the tunnel leads, and `https` where the proxy has opened the client's TLS */
  constructor(peer: Peer, route: { readonly tunnel: TunnelTarget; readonly scheme: string }, context: WireContext) {
    this.flow = new TcpFlow(route.tunnel, peer);
    const greeted = context.observer.greets?.(route.tunnel) ?? false;
    // Where nothing may reach the network, this is said in the hooks of the flow.
    if (!greeted && !context.observer.offline()) {
      const secure = route.scheme === "https" ? connectFlow(route.tunnel, peer) : undefined;
      this.#connecting = context.upstream.tcp(this.flow, secure);
    }
    this.heard = greeted ? Promise.resolve() : this.#listen();
  }

  /** The connection, for whoever relays. `undefined`: nothing has been connected. */
  take(): Promise<Socket> | undefined {
    this.#stop();
    // The listening ends a moment after it was told to.
    return this.#connecting && this.heard.then(() => this.#connecting!);
  }

  /** The client speaks something else, or is gone. */
  leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#stop();
    this.#connecting?.then((socket) => socket.destroy(), () => {});
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#left.resolve();
  }

  async #listen(): Promise<void> {
    try {
      const socket = await this.#connecting;
      if (socket !== undefined) {
        await look(socket, (bytes) => bytes.length > 0 ? 0 : Infinity, this.#left.promise);
        return;
      }
    } catch {
      // Told when the connection is wanted.
    }
    const late = new Promise<void>((resolve) => {
      this.#timer = setTimeout(resolve, GRACE_MS);
    });
    await Promise.race([late, this.#left.promise]);
    clearTimeout(this.#timer);
  }
}
