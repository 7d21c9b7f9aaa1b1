/** A capture proxy on node:http2, both ways: streams go on while their bodies are kept. */
import { Buffer } from "node:buffer";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { exchanges } from "./node_capture.ts";

const sessions = new Map<string, ClientHttp2Session>();

export function captureHttp2(
  { originCa }: { originCa: string },
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: string[]) => void {
  return (client, headers, _flags, raw) => {
    const url = `https://${headers[":authority"]}`;
    const upstream = sessionFor(url, originCa).request(headers);
    const requestChunks: Buffer[] = [];
    const responseChunks: Buffer[] = [];
    client.on("data", (chunk: Buffer) => requestChunks.push(chunk));
    client.pipe(upstream);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    upstream.on("response", (answer, _flags, rawAnswer?: string[]) => {
      client.respond(answer);
      upstream.on("data", (chunk: Buffer) => responseChunks.push(chunk)); // not before: it would make the body come
      upstream.pipe(client);
      upstream.on("end", () =>
        exchanges.push({
          method: headers[":method"] ?? "",
          url: url + headers[":path"],
          requestHeaders: raw,
          requestBody: Buffer.concat(requestChunks),
          status: answer[":status"] ?? 0,
          responseHeaders: rawAnswer ?? [],
          responseBody: Buffer.concat(responseChunks),
        }));
    });
  };
}

export function closeSessions(): void {
  for (const session of sessions.values()) session.destroy();
  sessions.clear();
}

function sessionFor(url: string, ca: string): ClientHttp2Session {
  const open = sessions.get(url);
  if (open !== undefined && !open.destroyed) return open;
  const session = connect(url, { ca });
  session.on("error", () => {}); // each of its streams tells
  sessions.set(url, session);
  return session;
}
