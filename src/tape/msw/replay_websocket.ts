/**
 * WebSockets that were captured or recorded, as handlers of MSW.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { HttpFlow } from "../../flow/http_flow.ts";
import { FlowRequest } from "../../flow/request.ts";
import type { WebSocketConversation, WebSocketMessage } from "../../flow/websocket.ts";
import type { TapeEntry } from "../entry.ts";
import { flowOfEntry } from "../flow_of_entry.ts";
import { bodySigner } from "../match/body_signature.ts";
import type { TapeOptions } from "../options.ts";
import type { Redactor } from "../redact/redactor.ts";

/** What `ws` of MSW can do, as far as it is used here. */
export interface MswWs {
  /** Makes a link. */
  link(url: RegExp): {
    // deno-lint-ignore no-explicit-any -- the types of listeners differ between the versions of MSW
    addEventListener(type: "connection", listener: (connection: any) => void): unknown;
  };
}

/** How they are played. */
export interface WebSocketHandlerOptions extends Pick<TapeOptions, "match"> {
  readonly ws: MswWs;
  /** For comparing. */
  readonly redactor: Redactor;
}

interface Connection {
  readonly client: {
    readonly url: URL;
    send(data: string | ArrayBuffer): void;
    close(code?: number, reason?: string): void;
    addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  };
  readonly server: { connect(): void };
}

/** The URL of one, as the client has asked for it. */
export function urlOf(source: HttpFlow | TapeEntry): string {
  return source instanceof HttpFlow ? source.request.url : source.url;
}

/**
 * A handler for conversations on one URL without its query: the n-th connection gets the n-th conversation that had its query, later ones
 * the last. Each message of the client brings what the server has said after it; a client that says something else is closed with 1011.
 */
export function replayWebSocket(sources: readonly (HttpFlow | TapeEntry)[], options: WebSocketHandlerOptions): unknown {
  const { ws, match = {}, redactor } = options;
  const [address] = urlOf(sources[0]!).split("?");
  const sign = bodySigner(match.body, redactor);
  const same = match.body === false
    ? () => true
    : (a: Heard, b: Heard) => a.text === b.text && sign(asRequest(a)) === sign(asRequest(b));
  // In a string, MSW would find patterns.
  const link = ws.link(new RegExp(`^${address!.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&").replace(/\/$/, "/?")}$`, "i"));
  const counts = new Map<string, number>();
  const queryOf = (url: string | URL) => redactor.url(new URL(url).href).split("?")[1] ?? "";
  return link.addEventListener("connection", ({ client, server }: Connection) => {
    const query = queryOf(client.url);
    const wanted = sources.filter((source) => queryOf(urlOf(source)) === query);
    if (wanted.length === 0) return server.connect();
    const count = counts.get(query) ?? 0;
    counts.set(query, count + 1);
    void play(wanted[Math.min(count, wanted.length - 1)]!, client, same);
  });
}

interface Heard {
  readonly text: boolean;
  readonly data: Uint8Array;
}

async function play(
  source: HttpFlow | TapeEntry,
  client: Connection["client"],
  same: (a: Heard, b: Heard) => boolean,
): Promise<void> {
  const heard: Promise<Heard>[] = [];
  let listen = (said: Promise<Heard>) => void heard.push(said);
  client.addEventListener("message", ({ data }) => listen(heardOf(data)));
  let conversation: WebSocketConversation;
  try {
    conversation = (source instanceof HttpFlow ? source : await flowOfEntry(source) as HttpFlow).websocket!;
  } catch (error) {
    return client.close(1011, `the recording cannot be read: ${error}`.slice(0, 100));
  }
  const { messages, closedBy, closeCode, closeReason } = conversation;
  const script = messages.filter((message) => !message.dropped);
  let at = 0;
  let count = 0;
  const speak = () => {
    for (; script[at]?.from === "server"; at++) client.send(dataOf(script[at]!));
    if (at === script.length && closedBy === "server") client.close(closeCode === 1005 ? 1000 : closeCode, closeReason);
  };
  let before: Promise<void> = Promise.resolve();
  // One after the other: a Blob is not there at once.
  listen = (said) => {
    before = before.then(async () => {
      if (at < 0) return;
      count++;
      const recorded = script[at];
      if (recorded?.from === "client" && same(wordOf(recorded), await said)) {
        at++;
        return speak();
      }
      at = -1;
      client.close(1011, `message ${count} of the client is not what was recorded`);
    });
  };
  speak();
  heard.forEach(listen);
}

function wordOf({ type, data }: WebSocketMessage): Heard {
  return { text: type === "text", data };
}

async function heardOf(data: unknown): Promise<Heard> {
  if (typeof data === "string") return { text: true, data: Buffer.from(data) };
  if (data instanceof Blob) return { text: false, data: new Uint8Array(await data.arrayBuffer()) };
  if (data instanceof ArrayBuffer) return { text: false, data: new Uint8Array(data) };
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return { text: false, data: new Uint8Array(buffer, byteOffset, byteLength) };
}

/** The URL is there only because a request has one. */
function asRequest({ text, data }: Heard): FlowRequest {
  const headers = text ? [] : { "content-type": "application/octet-stream" };
  return FlowRequest.create({ method: "POST", url: "http://localhost/", headers, body: data });
}

function dataOf(message: WebSocketMessage): string | ArrayBuffer {
  return message.type === "text" ? message.text : new Uint8Array(message.data).buffer;
}
