/** One large body, read into one buffer that is used again and again, so that the client costs next to nothing. */
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { bigByte, bytesPath } from "../payload.ts";
import { CLIENT_ADDRESS, type Destination, type Endpoint, requestFor } from "./connect.ts";

/** Resolves to the milliseconds until the last byte was there. */
export function download(
  options: { endpoint: Endpoint; to: Destination; bytes: number },
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const begin = performance.now();
  let head = "";
  let left = Infinity;
  const receive = (size: number, buffer: Uint8Array): boolean => {
    const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, size);
    if (left === Infinity) left = readHead(chunk);
    else if (chunk[0] === bigByte(options.bytes - left)) left -= size;
    else {reject(
        new Error(`a wrong byte ${left} bytes before the end of a large body`),
      );}
    if (left === 0) finish();
    if (left < 0) reject(new Error(`a large body had ${-left} bytes too many`));
    return true;
  };
  const readHead = (chunk: Buffer): number => {
    head += chunk.toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return Infinity;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
    if (!head.startsWith("HTTP/1.1 200 ") || length !== options.bytes) {
      reject(new Error(`wrong response to a large request:\n${head.slice(0, end)}`));
    }
    return length - (head.length - end - 4);
  };
  const socket = connect({
    port: options.endpoint.port,
    host: "127.0.0.1",
    localAddress: CLIENT_ADDRESS,
    noDelay: true,
    onread: { buffer: Buffer.allocUnsafe(256 * 1024), callback: receive },
  });
  const finish = (): void => {
    resolve(performance.now() - begin);
    socket.removeAllListeners("close").destroy();
  };
  socket.on("connect", () => socket.write(requestFor(options.to, bytesPath(options.bytes))));
  socket.on("error", reject);
  socket.on("close", () => reject(new Error(`the connection was closed with ${left} bytes of the body missing`)));
  return promise;
}
