/**
 * Answers flows that are conversations: WebSockets, calls in which the two take turns, raw bytes.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { FlowResponse } from "../../flow/response.ts";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import type { TapeEntry } from "../entry.ts";
import { RequestKeys } from "../match/request_key.ts";
import { callLoader, CallPlayer, type CallWord } from "./call.ts";
import { Conversations } from "./conversations.ts";
import { isGrpc } from "./grpc.ts";
import type { Said } from "./said.ts";
import type { Stage } from "./stage.ts";
import { addressOf, loadTcp, tcpKeys, TcpPlayer } from "./tcp.ts";
import { webSocketLoader, webSocketResponse } from "./websocket.ts";

/** What the tape says to a flow. */
export type Spoken =
  /** This, and it is from this entry. */
  | { readonly response: FlowResponse; readonly entry: TapeEntry }
  /** Nothing: all that there was has been replayed. */
  | { readonly usedUp: number }
  /** Nothing, for this reason. */
  | { readonly explanation: string }
  /** The client is gone. */
  | undefined;

/** The conversations of a tape. */
export class SpokenEntries {
  readonly #stage: Stage;
  readonly #keys: RequestKeys;
  readonly #webSockets: Conversations<Said>;
  readonly #calls: Conversations<CallWord>;
  readonly #tcp: Conversations<Uint8Array>;
  readonly #tcpKey: (hostname: string, port: number) => string;
  readonly #live = new WeakMap<HttpFlow, CallPlayer>();

  /** @param entries all of the tape */
  constructor(entries: readonly TapeEntry[], stage: Stage) {
    const { options: { match = {}, afterLast }, redactor } = stage;
    this.#stage = stage;
    const keys = this.#keys = new RequestKeys(match, redactor);
    const keyOf = (entry: TapeEntry) => keys.keyOf(entry.method, entry.url, () => entry.requestHeaders);
    this.#webSockets = new Conversations(entries.filter(({ kind }) => kind === "websocket"), {
      keyOf: (entry) => keys.keyOf("GET", entry.url, () => entry.requestHeaders),
      load: webSocketLoader({ match }, redactor),
      afterLast,
    });
    const turns = new Set(entries.filter(({ stream }) => stream?.turns !== undefined).map(keyOf));
    this.#calls = new Conversations(
      turns.size === 0 ? [] : entries.filter((entry) => entry.kind === "http" && turns.has(keyOf(entry))),
      { keyOf, load: callLoader(stage), afterLast },
    );
    this.#tcpKey = tcpKeys(match.origin);
    this.#tcp = new Conversations(entries.filter(({ kind }) => kind === "tcp"), {
      keyOf: (entry) => this.#tcpKey(...addressOf(entry)),
      load: loadTcp,
      afterLast,
    });
  }

  /** The entries that are played from here, and that nobody has played. */
  get unused(): TapeEntry[] {
    return [...this.#webSockets.unused, ...this.#calls.unused, ...this.#tcp.unused];
  }

  /** Whether an entry is played from here. */
  has(entry: TapeEntry): boolean {
    return entry.kind !== "http" || this.#calls.at(this.#keyOf(entry)).includes(entry);
  }

  /** The answer to a request; `undefined`: the tape has no conversation like this. */
  answer(flow: HttpFlow): Promise<Spoken> | undefined {
    const { scheme, method, url, headers } = flow.request;
    if (scheme === "ws" || scheme === "wss") {
      const key = this.#keys.keyOf("GET", url, () => headers);
      return this.#webSockets.at(key).length === 0 ? undefined : this.#webSocket(flow, key);
    }
    if (!isGrpc(headers.get("content-type"))) return undefined;
    const key = this.#keys.keyOf(method, url, () => headers);
    return this.#calls.at(key).length === 0 ? undefined : this.#call(flow, key);
  }

  /** Speaks in a raw conversation; `undefined`: the tape has none with this server. */
  tcp(flow: TcpFlow): Promise<void> | undefined {
    // What passes unopened is never the same twice.
    if (flow.serverName !== undefined) return undefined;
    const key = this.#tcpKey(flow.hostname, flow.port);
    return this.#tcp.at(key).length === 0 ? undefined : this.#speak(flow, key);
  }

  /** Whether the server speaks first in the conversations with it. */
  greets({ hostname, port }: { readonly hostname: string; readonly port: number }): boolean {
    return this.#tcp.at(this.#tcpKey(hostname, port)).length > 0;
  }

  /** A flow is over. */
  ended(flow: HttpFlow): void {
    this.#live.get(flow)?.close();
  }

  async #webSocket(flow: HttpFlow, key: string): Promise<Spoken> {
    const role = await this.#webSockets.take(key);
    if (role === undefined) return { usedUp: this.#webSockets.at(key).length };
    return { response: webSocketResponse(flow, role, this.#stage), entry: role.script.entry };
  }

  async #call(flow: HttpFlow, key: string): Promise<Spoken> {
    const role = await this.#calls.take(key);
    if (role === undefined) return { usedUp: this.#calls.at(key).length };
    const player = new CallPlayer(flow, role, this.#stage);
    this.#live.set(flow, player);
    const answer = await player.answer();
    return answer !== undefined && "response" in answer ? { ...answer, entry: role.script.entry } : answer;
  }

  async #speak(flow: TcpFlow, key: string): Promise<void> {
    const role = await this.#tcp.take(key);
    if (role === undefined || flow.error !== undefined) return role?.leave();
    flow.source = "tape";
    const { entry, lines } = role.script;
    if (entry.failure !== undefined && lines.length === 0 && role.cursor.done) {
      role.leave();
      flow.error = { ...entry.failure };
      return;
    }
    flow.answer = new TcpPlayer(flow, role, this.#stage);
  }

  #keyOf(entry: TapeEntry): string {
    return this.#keys.keyOf(entry.method, entry.url, () => entry.requestHeaders);
  }
}
