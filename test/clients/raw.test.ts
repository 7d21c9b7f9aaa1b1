// Sockets that say exactly what they are told, recorded and replayed.
import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import type { Proxy } from "../../src/mod.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { openTunnel } from "../wire/tunnel.ts";
import { recordAndReplay, unpacked } from "./record_and_replay.ts";

const PATHS = ["/text", "/count", "/count", "/empty", "/count", "/binary", "/missing"];

function pipeline(base: string): string {
  return PATHS.map((path, i) => {
    const last = i === PATHS.length - 1 ? "Connection: close\r\n" : "";
    return `GET ${base}${path} HTTP/1.1\r\nHost: origin.test\r\n${last}\r\n`;
  }).join("");
}

async function text(connection: RawConnection): Promise<string> {
  return Buffer.from(await connection.readAll()).toString("latin1");
}

test("pipelined requests to a proxy", async () => {
  const all = await recordAndReplay(async (proxy, url) => await rawRequest(proxy.port, pipeline(url)));
  expect(all.match(/HTTP\/1\.1 \d+/g)).toHaveLength(PATHS.length);
  expect(all).toMatch(/count 1[^]*count 2[^]*count 3/);
});

test("pipelined requests in a tunnel", async () => {
  await recordAndReplay(async (proxy, url) => {
    await using tunnel = await openTunnel(proxy, new URL(url).host);
    await tunnel.write(pipeline(""));
    return await text(tunnel);
  });
});

test("pipelined requests over TLS", async () => {
  await recordAndReplay(async (proxy, url) => {
    await using tunnel = await openTunnel(proxy, new URL(url).host);
    await using client = await tunnel.startTls({ ca: proxy.ca.cert, host: "127.0.0.1" });
    await client.write(pipeline(""));
    return await text(client);
  }, { tls: true });
});

test("bodies: with a length, in chunks, with Expect, without one", async () => {
  const send = async (proxy: Proxy, url: string) => {
    const head = `POST ${url}/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n`;
    const answers = [
      await rawRequest(proxy.port, `${head}Content-Length: 3\r\n\r\none`),
      await rawRequest(proxy.port, `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nt\r\n2\r\nwo\r\n0\r\n\r\n`),
      await rawRequest(proxy.port, `${head}Content-Length: 0\r\n\r\n`),
    ];
    await using client = await connectRaw(proxy.port);
    await client.write(`${head}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n`);
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 100 /);
    await client.write("four");
    return [...answers, await text(client)].map((answer) => answer.split("\r\n\r\n").slice(1).join());
  };
  expect(await recordAndReplay(send)).toEqual(["echo one", "echo two", "echo ", "echo four"]);
});

test("HTTP/1.0 without Host, and HEAD", async () => {
  const [old, head] = await recordAndReplay(async (proxy, url) => [
    unpacked(await rawRequest(proxy.port, `GET ${url}/chunks HTTP/1.0\r\n\r\n`)),
    await rawRequest(proxy.port, `HEAD ${url}/text HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
  ]);
  expect(old).toMatch(/one two three$/);
  expect(head).toMatch(/Content-Length: \d+\r\n[^]*\r\n\r\n$/);
});

test("trailers", async () => {
  const answer = await recordAndReplay(async (proxy, url) => {
    const answer = await rawRequest(proxy.port, `GET ${url}/chunks HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    // The sizes of chunks are not kept.
    return answer.replace(/\r\n[0-9a-f]+\r\n(?=one |two |three)/g, "");
  });
  expect(answer).toMatch(/one two three\r\n0\r\nX-Sum: 3\r\n\r\n$/);
});
