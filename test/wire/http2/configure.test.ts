// proxy.configure() while streams of HTTP/2 are in flight.
import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { type HttpFlow, type Proxy, startProxy } from "../../../src/mod.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { PATIENTLY } from "../http1_client.ts";
import { startNodeOrigin } from "./peers.ts";
import { DATA, END_HEADERS, END_STREAM, frame, HEADERS, PREFACE, RawPeer, section, SETTINGS } from "./raw_peer.ts";

/** A client that speaks HTTP/2 with the proxy itself. */
async function openClient(proxy: Proxy): Promise<RawPeer> {
  const peer = new RawPeer(await connectRaw(proxy.port));
  await peer.send(Buffer.from(PREFACE), frame(SETTINGS, 0, 0));
  return peer;
}

/** Sends the head of a request, of which a body may follow. */
function begin(peer: RawPeer, stream: number, url: string, flags = 0): Promise<void> {
  const { host, pathname } = new URL(url);
  const method = flags === END_STREAM ? "GET" : "POST";
  return peer.send(
    frame(
      HEADERS,
      flags | END_HEADERS,
      stream,
      section([":method", method], [":scheme", "http"], [":authority", host], [":path", pathname]),
    ),
  );
}

/** What comes of a stream next, of one of these types. */
async function nextOf(peer: RawPeer, stream: number, type: number) {
  for (;;) {
    const seen = await peer.find(type);
    if (seen.stream === stream) return seen;
  }
}

test("upstream: a stream in flight stays with its server, to its last byte; those to come go to the new one", async () => {
  await using first = await startNodeOrigin({ tls: false });
  await using second = await startNodeOrigin({ tls: false });
  const known = `127.0.0.1:${first.port}`;
  await using proxy = await startProxy({ upstream: { hosts: { "shop.test": known, "first.test": known } } });
  await using client = await openClient(proxy);
  const flowOf = (path: string) => [...proxy.flows as Iterable<HttpFlow>].find(({ request }) => request.path === path)!;

  await begin(client, 1, "http://shop.test/hold");
  expect((await nextOf(client, 1, HEADERS)).fields).toContain("200");
  await proxy.configure({
    upstream: { hosts: { "shop.test": `127.0.0.1:${second.port}`, "first.test": known } },
    timeouts: { idle: 100 },
  });
  await begin(client, 3, "http://shop.test/echo", END_STREAM);
  await nextOf(client, 3, DATA);
  // Longer than the new timeouts.idle: the old one holds.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await client.send(frame(DATA, END_STREAM, 1, "hello"));
  await begin(client, 5, "http://first.test/go", END_STREAM);

  expect(String((await nextOf(client, 1, DATA)).payload)).toBe("5");
  await expect.poll(() => flowOf("/hold").done, PATIENTLY).toBe(true);
  expect(flowOf("/hold").error).toBe(undefined);
  const paths = ["/hold", "/echo", "/go"];
  expect(paths.map((path) => flowOf(path).server!.port)).toEqual([first.port, second.port, first.port]);
  expect(paths.map((path) => flowOf(path).response!.status)).toEqual([200, 200, 204]);
  expect(flowOf("/hold").response!.httpVersion).toBe("2");
});
