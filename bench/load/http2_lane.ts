/** Streams of HTTP/2, one after the other, on a connection that other lanes use as well. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import type { SecureContext } from "node:tls";
import { isBodyFor } from "../payload.ts";
import { type Destination, dial, dialTls, type Endpoint } from "./connect.ts";
import type { Exchange, Lane } from "./lane.ts";

export class Http2Lane implements Lane {
  readonly #session: ClientHttp2Session;
  readonly #bodyBytes: number;

  constructor(session: ClientHttp2Session, bodyBytes: number) {
    this.#session = session;
    this.#bodyBytes = bodyBytes;
  }

  async run(next: () => Exchange | undefined): Promise<number> {
    let completed = 0;
    for (let exchange = next(); exchange !== undefined; exchange = next()) {
      await this.#ask(exchange.path);
      completed++;
    }
    return completed;
  }

  close(): void {
    this.#session.destroy();
  }

  #ask(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        ":path": path,
        "user-agent": "bench/1.0",
        accept: "*/*",
        "accept-language": "en",
        "accept-encoding": "gzip, deflate, br",
        "x-request-id": "0123456789abcdef",
      });
      const chunks: Buffer[] = [];
      let status: number | undefined;
      stream.on("response", (head: IncomingHttpHeaders & IncomingHttpStatusHeader) => status = head[":status"]);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
        if (status === 200 && isBodyFor(path, this.#bodyBytes, body, 0, body.length)) resolve();
        else reject(new Error(`wrong response to ${path}: ${status}\n${body.toString("latin1", 0, 500)}`));
      });
      stream.on("error", reject);
    });
  }
}

/** Opens a tunnel, TLS in it, and HTTP/2 in that. */
export async function openSession(
  endpoint: Endpoint,
  to: Destination,
  trust: SecureContext,
): Promise<ClientHttp2Session> {
  const socket = await dialTls(await dial(endpoint.port), to, { trust, alpn: "h2" });
  if (socket.alpnProtocol !== "h2") throw new Error(`HTTP/2 was not agreed on, but ${socket.alpnProtocol}`);
  const session = connect(`https://${to.host}:${to.port}`, { createConnection: () => socket });
  await once(session, "connect");
  return session;
}
