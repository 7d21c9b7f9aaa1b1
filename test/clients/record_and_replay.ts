/**
 * Records a client with a server, and replays it without one.
 *
 * @module
 */
import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { type HttpFlow, type Proxy, startProxy } from "../../src/mod.ts";
import { type Origin, type OriginHandler, startOrigin } from "../support/origin.ts";
import { tempFolder } from "../support/temp.ts";

/** Uses the proxy for some requests to an origin, and says what it got. */
export type Client<T> = (proxy: Proxy, url: string) => Promise<T>;

/** How to record. */
export interface RecordOptions {
  /** Over TLS. */
  tls?: boolean;
  /** What the origin says. Default: {@linkcode sayAll}. */
  handler?: OriginHandler;
  /** `false` keeps credentials on the tape. */
  redact?: false;
}

/**
 * Runs a client twice: with an origin and a proxy that records, then with neither the origin nor anything else at its port. What
 * the client got must be the same; it is returned.
 */
export async function recordAndReplay<T>(client: Client<T>, options: RecordOptions = {}): Promise<T> {
  await using folder = await tempFolder();
  const tape = { path: folder.file("tape.har"), redact: options.redact };
  let origin: Origin;
  let live: T;
  let recorded: string[];
  {
    await using running = await startOrigin(options.handler ?? sayAll(), options.tls ? { tls: true } : {});
    origin = running;
    await using proxy = await startProxy({ tape: { ...tape, mode: "record" }, upstream: { ca: origin.ca || [] } });
    live = await client(proxy, origin.url);
    recorded = summaryOf(proxy);
    expect(recorded.length).toBeGreaterThan(0);
    expect(origin.requests).toHaveLength(recorded.length);
  }
  await using proxy = await startProxy({ tape: { ...tape, mode: "replay" } });
  expect(await client(proxy, origin.url)).toEqual(live);
  expect(summaryOf(proxy)).toEqual(recorded);
  expect([...proxy.flows].map((flow) => (flow as HttpFlow).source)).toEqual(recorded.map(() => "tape"));
  expect(proxy.unused).toEqual([]);
  await proxy.close();
  return live;
}

/** A response without the fields that say how its body is packed: a replayed one is not packed, and has its length. */
export function unpacked(response: string): string {
  return response.replace(/^(?:Content-Encoding|Content-Length|Transfer-Encoding): .*\r\n/gim, "");
}

function summaryOf(proxy: Proxy): string[] {
  return [...proxy.flows].map((flow) => {
    const { request, response, error } = flow as HttpFlow;
    return `${request.method} ${request.url} ${error?.code ?? response?.status}`;
  });
}

/** Something for every path: text, binary, gzip, chunks, an empty 204, a redirect, two cookies, an echo, and a count. */
export function sayAll(): OriginHandler {
  let count = 0;
  return ({ target, text, header }) => {
    switch (target) {
      case "/binary":
        return {
          headers: [["Content-Type", "application/octet-stream"]],
          body: Uint8Array.from({ length: 5000 }, (_, i) => i * 7),
        };
      case "/gzip":
        return {
          headers: [["Content-Type", "text/plain"], ["Content-Encoding", "gzip"]],
          body: header("accept-encoding") === undefined ? "not asked for" : gzipSync("packed ".repeat(1000)),
        };
      case "/chunks":
        return { headers: [["Content-Type", "text/plain"]], body: chunks(), trailers: [["X-Sum", "3"]] };
      case "/empty":
        return { status: 204, reason: "No Content" };
      case "/redirect":
        return { status: 302, reason: "Found", headers: [["Location", "/text"]] };
      case "/cookies":
        return { headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2; Path=/"]], body: "cookies" };
      case "/echo":
        return { status: 201, reason: "Created", headers: [["Content-Type", "text/plain"]], body: `echo ${text()}` };
      case "/missing":
        return { status: 404, reason: "Not Here", body: "no such thing" };
      case "/count":
        return { headers: [["Content-Type", "text/plain"]], body: `count ${++count}` };
      default:
        return { headers: [["Content-Type", "text/plain; charset=utf-8"]], body: `text of ${target}: é€` };
    }
  };
}

async function* chunks(): AsyncGenerator<string> {
  yield "one ";
  yield "two ";
  yield "three";
}
