/**
 * Agents for `node:http` and `node:https`, and for what is built on them.
 *
 * @module
 */
import type http from "node:http";
import type https from "node:https";
import type { Socket } from "node:net";
import process from "node:process";
import { type Duplex, PassThrough } from "node:stream";
import { setImmediate } from "node:timers";
import type tls from "node:tls";
import { addressOf, type ProxyAddress, type ProxyLike, upstreamOf } from "./address.ts";
import { openTunnel, secureTunnel } from "./tunnel.ts";

/** One agent for each protocol. */
export interface ProxyAgents {
  /** For `http:` URLs. */
  readonly http: http.Agent;
  /** For `https:` URLs. */
  readonly https: https.Agent;
}

/**
 * Agents that reach every server through a proxy and trust its authority, for `node:http`, axios (`httpAgent`, `httpsAgent`), got
 * (`agent`), node-fetch, ws and others. `destroy()` closes the connections that they keep.
 *
 * @example
 * ```ts
 * import http from "node:http";
 * import { respond, startProxy } from "flowtape";
 * import { agents } from "flowtape/client";
 *
 * await using proxy = await startProxy({ defaultAction: respond({ body: "hello" }) });
 * const agent = agents(proxy).http;
 * await new Promise((done) => http.get("http://shop.test/", { agent }, (response) => response.resume().on("end", done)));
 * agent.destroy();
 * ```
 *
 * @param options as for the agents of Node
 * @throws {OptionsError} the URL of the proxy cannot be read
 */
export function agents(proxy: ProxyLike, options: https.AgentOptions = {}): ProxyAgents {
  upstreamOf(addressOf(proxy));
  const address = () => addressOf(proxy);
  return { http: tunnelAgent("http", address, options), https: tunnelAgent("https", address, options) };
}

/** What becomes of connections that are not needed at the moment. */
export interface IdleSockets {
  /** Whether to keep one. */
  keep(socket: Duplex): boolean;
  /** It is needed again. */
  reuse(socket: Duplex): void;
}

type Failed = (error: Error) => void;

const ours = new WeakSet<http.Agent>();

/** Whether an agent is one of those that are made here. */
export function isTunnelAgent(agent: http.Agent): boolean {
  return ours.has(agent);
}

/**
 * An agent that reaches every server through a proxy.
 *
 * @param address asked for each connection
 */
export function tunnelAgent(
  protocol: "http" | "https",
  address: () => ProxyAddress,
  options: https.AgentOptions = {},
  idle?: IdleSockets,
): https.Agent {
  // Loaded when it is needed: a proxy that nobody installs does without node:http.
  const { Agent } = process.getBuiltinModule(`node:${protocol}`) as typeof https;
  const agent = new Agent(options);
  agent.createConnection = (options, created) => {
    const { ca, proxy } = address();
    const secure = (socket: Socket) => secureTunnel(socket, options as tls.ConnectionOptions, ca);
    const place = new Place(agent, options);
    connect({ ca, proxy }, options, protocol === "https" ? secure : (socket) => socket).then((socket) => {
      place.leave();
      created?.(null, socket);
    }, (error) => {
      place.leave();
      (created as Failed | undefined)?.(error);
      place.next();
    });
    return undefined;
  };
  if (idle !== undefined) watchIdle(agent, idle);
  ours.add(agent);
  return agent;
}

/** Node asks these methods when a request is over, and when another one takes its connection. */
function watchIdle(agent: http.Agent, idle: IdleSockets): void {
  const keep = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => unknown;
  const reuse = agent.reuseSocket.bind(agent);
  agent.keepSocketAlive = (socket) => idle.keep(socket) && keep(socket);
  agent.reuseSocket = (socket, request) => {
    idle.reuse(socket);
    reuse(socket, request);
  };
}

/**
 * Counts a connection that is being made, as the agent counts those that it has: otherwise requests that begin together would all
 * be below its `maxSockets`.
 */
class Place {
  readonly #agent: Counted;
  readonly #options: https.RequestOptions;
  readonly #name: string;
  readonly #placeholder: Duplex = new PassThrough();

  constructor(agent: http.Agent, options: https.RequestOptions) {
    this.#agent = agent as unknown as Counted;
    this.#options = options;
    this.#name = agent.getName(options);
    (this.#agent.sockets[this.#name] ??= []).push(this.#placeholder);
  }

  /** To be called before the agent is given the connection. */
  leave(): void {
    const { sockets } = this.#agent;
    const rest = sockets[this.#name]?.filter((it) => it !== this.#placeholder) ?? [];
    if (rest.length > 0) sockets[this.#name] = rest;
    else delete sockets[this.#name];
  }

  /** There is no connection: requests that have waited for this one try again, which the agent would not see to. */
  next(): void {
    setImmediate(() => {
      const { requests } = this.#agent;
      // The one that has failed may be among them.
      const waiting = requests[this.#name]?.filter((it) => !it.destroyed);
      if (waiting === undefined) return;
      if (waiting.length === 0) delete requests[this.#name];
      else {
        requests[this.#name] = waiting;
        this.#agent.removeSocket(this.#placeholder, this.#options);
      }
    });
  }
}

/** What agents keep, without the types that say it cannot be changed. */
interface Counted {
  sockets: Record<string, Duplex[]>;
  requests: Record<string, http.ClientRequest[]>;
  removeSocket(socket: Duplex, options: https.RequestOptions): void;
}

async function connect(
  address: ProxyAddress,
  { host, hostname, port, timeout }: http.ClientRequestArgs,
  use: (socket: Socket) => Duplex,
): Promise<Duplex> {
  const target = { hostname: host ?? hostname ?? "localhost", port: Number(port) };
  return use(await openTunnel(address, target, { timeout }));
}
