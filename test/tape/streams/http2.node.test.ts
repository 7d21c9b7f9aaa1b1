// Streams on the tape with a client that speaks HTTP/2: that of Node.
import { once } from "node:events";
import { connect } from "node:http2";
import { expect, test } from "vitest";
import { startProxy } from "../../../src/mod.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { tempFolder } from "../../support/temp.ts";
import { openTunnel } from "../../wire/tunnel.ts";

test("early hints, chunks and trailers of a recording over HTTP/1.1 reach a client of HTTP/2", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await using server = await startRawServer(async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
    await connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    await connection.write("9\r\ndata: 1\n\n\r\n");
    await connection.write("9\r\ndata: 2\n\n\r\n0\r\nX-Sum: 7\r\n\r\n");
    await connection.readAll().catch(() => {});
  });
  const seen: unknown[] = [];
  for (const mode of ["record", "replay"] as const) {
    await using proxy = await startProxy({ tape: { path, mode } });
    await using tunnel = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    tunnel.socket.removeAllListeners("data");
    const session = connect(`http://127.0.0.1:${server.port}`, { createConnection: () => tunnel.socket });
    const stream = session.request({ ":path": "/events" });
    let hints: unknown;
    let trailers: unknown;
    let body = "";
    stream.on("headers", (headers) => hints = [headers[":status"], headers.link]);
    stream.on("trailers", (headers) => trailers = headers["x-sum"]);
    stream.setEncoding("utf8").on("data", (text: string) => body += text);
    await once(stream, "end");
    seen.push([hints, body, trailers]);
    session.close();
  }
  expect(seen[0]).toEqual([[103, "</a.css>"], "data: 1\n\ndata: 2\n\n", "7"]);
  expect(seen[1]).toEqual(seen[0]);
});
