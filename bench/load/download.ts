/** One large body, read into one buffer that is used again and again, so that the client costs next to nothing. */
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { bigByte, bytesPath, requestBytes } from "../payload.ts";
import { CLIENT_ADDRESS, connectRequest, type Destination, type Endpoint, requestFor } from "./connect.ts";

export interface Download {
  readonly endpoint: Endpoint;
  readonly to: Destination;
  readonly bytes: number;
  /** Asks for a tunnel to the server first, instead of asking the proxy itself. */
  readonly tunnel?: boolean;
}

/** Resolves to the milliseconds until the last byte was there. */
export function download({ endpoint, to, bytes, tunnel = false }: Download): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const path = bytesPath(bytes);
  const request = tunnel ? requestBytes(path, `${to.host}:${to.port}`) : requestFor(to, path);
  const begin = performance.now();
  let state: "asked for a tunnel" | "asked" | "reading" = tunnel ? "asked for a tunnel" : "asked";
  let head = "";
  let left = bytes;

  const receive = (size: number, buffer: Uint8Array): boolean => {
    const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, size);
    if (state !== "reading") readHead(chunk.toString("latin1"));
    else if (chunk[0] === bigByte(bytes - left)) left -= size;
    else reject(new Error(`a wrong byte ${left} bytes before the end of a large body`));
    if (left === 0) finish();
    if (left < 0) reject(new Error(`a large body had ${-left} bytes too many`));
    return true;
  };
  const readHead = (text: string): void => {
    head += text;
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    if (state === "asked for a tunnel") {
      if (!head.startsWith("HTTP/1.1 200 ")) return reject(new Error(`no tunnel:\n${head}`));
      state = "asked";
      head = head.slice(end + 4);
      return void socket.write(request);
    }
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
    if (!head.startsWith("HTTP/1.1 200 ") || length !== bytes) {
      reject(new Error(`wrong response to a large request:\n${head.slice(0, end)}`));
    }
    state = "reading";
    left -= head.length - end - 4;
  };
  const socket = connect({
    port: endpoint.port,
    host: "127.0.0.1",
    localAddress: CLIENT_ADDRESS,
    noDelay: true,
    onread: { buffer: Buffer.allocUnsafe(256 * 1024), callback: receive },
  });
  const finish = (): void => {
    resolve(performance.now() - begin);
    socket.removeAllListeners("close").destroy();
  };
  socket.on("connect", () => socket.write(tunnel ? connectRequest(to) : request));
  socket.on("error", reject);
  socket.on("close", () => reject(new Error(`the connection was closed with ${left} bytes of the body missing`)));
  return promise;
}
