/**
 * What the clients of this process need of one proxy that they are pointed at.
 *
 * @module
 */
import type http from "node:http";
import type https from "node:https";
import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import type { ProxyAddress } from "../address.ts";
import { type IdleSockets, tunnelAgent } from "../agents.ts";
import { tunnelDispatcher } from "../dispatcher.ts";
import { denoOptions } from "../runtime_options.ts";
import { withoutProxyVariables } from "../without_env.ts";

/** The proxy that clients are pointed at. */
export interface InstallTarget {
  /** As it is now. */
  address(): ProxyAddress;
  /** Where it listens. */
  readonly host: string;
  /** Where it listens. */
  readonly port: number;
}

/** Agents and clients of one `install()`: made at first use, closed with it. */
export class Installation implements IdleSockets {
  readonly #target: InstallTarget;
  readonly #agents = new WeakMap<http.Agent, { http?: http.Agent; https?: http.Agent }>();
  readonly #idle = new Set<Duplex>();
  #dispatcher: Promise<Dispatcher> | undefined;
  #client: { readonly client: Deno.HttpClient; readonly proxy: string } | undefined;
  #over = false;

  /** @param target the proxy */
  constructor(target: InstallTarget) {
    this.#target = target;
  }

  /** Where the proxy is, with credentials. */
  get address(): ProxyAddress {
    return this.#target.address();
  }

  /** Whether somebody talks to the proxy itself. */
  isProxy(hostname: string, port: number): boolean {
    if (port !== this.#target.port) return false;
    const host = hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
    return host === this.#target.host || /^(?:localhost|127(?:\.\d+){3}|::1)$/.test(host);
  }

  /** The agent that does for the proxy what another one does without: with its options, and connections of its own. */
  agentFor(agent: http.Agent, protocol: "http" | "https"): http.Agent {
    const made = this.#agents.get(agent) ?? {};
    this.#agents.set(agent, made);
    return made[protocol] ??= tunnelAgent(protocol, () => this.address, optionsOf(agent), this);
  }

  /** For undici. */
  dispatcher(): Promise<Dispatcher> {
    return this.#dispatcher ??= tunnelDispatcher(() => this.address);
  }

  /** For the `fetch` and the `WebSocket` of Deno. */
  denoClient(): Deno.HttpClient {
    const address = this.address;
    if (this.#client?.proxy !== address.proxy) {
      this.#client?.client.close();
      const client = withoutProxyVariables(() => Deno.createHttpClient(denoOptions(address)));
      this.#client = { client, proxy: address.proxy };
    }
    return this.#client.client;
  }

  /** @inheritdoc */
  keep(socket: Duplex): boolean {
    if (this.#over) return false;
    this.#idle.add(socket);
    socket.once("close", () => this.#idle.delete(socket));
    return true;
  }

  /** @inheritdoc */
  reuse(socket: Duplex): void {
    this.#idle.delete(socket);
  }

  /** Closes what nobody uses; what is in flight may end. */
  close(): void {
    this.#over = true;
    for (const socket of this.#idle) socket.destroy();
    this.#dispatcher?.then((it) => it.close()).catch(() => {});
    this.#client?.client.close();
    this.#client = undefined;
  }
}

/** What an agent was made with. */
function optionsOf(agent: http.Agent): https.AgentOptions {
  const { options, keepAlive, keepAliveMsecs, maxSockets, maxFreeSockets, maxTotalSockets, scheduling } = agent as
    & http.Agent
    & { options: https.AgentOptions; keepAlive?: boolean; keepAliveMsecs?: number; scheduling?: "fifo" | "lifo" };
  return {
    ...options,
    keepAlive,
    keepAliveMsecs,
    maxSockets,
    maxFreeSockets,
    maxTotalSockets,
    scheduling,
  };
}
