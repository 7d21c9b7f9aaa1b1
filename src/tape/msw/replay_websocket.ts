/**
 * WebSockets that were captured, as handlers of MSW.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { WebSocketMessage } from "../../flow/websocket.ts";

/** What `ws` of MSW can do, as far as it is used here. */
export interface MswWs {
  /** Makes a link. */
  link(url: RegExp): {
    // deno-lint-ignore no-explicit-any -- the types of listeners differ between the versions of MSW
    addEventListener(type: "connection", listener: (connection: any) => void): unknown;
  };
}

interface Connection {
  readonly client: {
    readonly url: URL;
    send(data: string | ArrayBuffer): void;
    close(code?: number, reason?: string): void;
    addEventListener(type: "message", listener: () => void): void;
  };
  readonly server: { connect(): void };
}

/**
 * A handler for conversations on one URL without its query: the n-th connection gets the n-th conversation that had its query, later ones
 * the last. Each message of the client brings what the server has said after it.
 */
export function replayWebSocket(flows: readonly HttpFlow[], { ws }: { ws: MswWs }): unknown {
  const [address] = flows[0]!.request.url.split("?");
  // In a string, MSW would find patterns.
  const link = ws.link(new RegExp(`^${address!.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&").replace(/\/$/, "/?")}$`, "i"));
  const counts = new Map<string, number>();
  return link.addEventListener("connection", ({ client, server }: Connection) => {
    const wanted = flows.filter((flow) => new URL(flow.request.url).search === client.url.search);
    if (wanted.length === 0) return server.connect();
    const count = counts.get(client.url.search) ?? 0;
    counts.set(client.url.search, count + 1);
    play(wanted[Math.min(count, wanted.length - 1)]!, client);
  });
}

function play({ websocket }: HttpFlow, client: Connection["client"]): void {
  const { messages, closedBy, closeCode, closeReason } = websocket!;
  const heard = messages.filter((message) => !message.dropped);
  let at = 0;
  const speak = () => {
    for (; heard[at]?.from === "server"; at++) client.send(dataOf(heard[at]!));
    if (at === heard.length && closedBy === "server") client.close(closeCode === 1005 ? 1000 : closeCode, closeReason);
  };
  client.addEventListener("message", () => {
    if (heard[at]?.from !== "client") return;
    at++;
    speak();
  });
  speak();
}

function dataOf(message: WebSocketMessage): string | ArrayBuffer {
  return message.type === "text" ? message.text : new Uint8Array(message.data).buffer;
}
