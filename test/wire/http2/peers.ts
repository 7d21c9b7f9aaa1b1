/**
 * Clients and servers of HTTP/2 that have nothing in common with the proxy: they are Node's, whatever runtime the proxy runs on.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Proxy, type ProxyOptions, startProxy } from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { run } from "../../support/run.ts";
import { runtimePath } from "../../support/runtime.ts";

/** What a client is to do. */
export interface ClientOrder {
  /** The port of the proxy. */
  proxy: number;
  /** `host:port` of the tunnel. */
  target: string;
  /** What is trusted; none: no TLS. */
  ca?: string | undefined;
  /** The window of its streams. */
  window?: number;
  /** One after the other. */
  inTurn?: boolean;
  requests: ClientRequestOrder[];
}

/** A request. */
export interface ClientRequestOrder {
  path: string;
  method?: string;
  headers?: [string, string][];
  /** Or so many bytes. */
  body?: string | number;
  trailers?: Record<string, string>;
  /** Reads nothing for so long when the head has come. */
  pauseMs?: number;
  /** Resets the stream with this code when the head has come. */
  reset?: number;
  /** Resets the stream with this code after a moment, whatever has come. */
  resetUnanswered?: number;
}

/** What became of it. */
export interface ClientResult {
  path: string;
  status?: number;
  /** The fields of the response. */
  raw: string[];
  body: string;
  length: number;
  /** Of the body, in hexadecimal digits. */
  sha1: string;
  trailers: string[];
  informational: string[][];
  ended?: boolean;
  error?: string;
  rst: number;
}

/** A server. */
export interface NodeOrigin extends AsyncDisposable {
  readonly port: number;
  readonly secure: boolean;
}

/** Starts node_origin.ts. */
export async function startNodeOrigin(
  { tls = true, ...options }: { tls?: boolean; allowHTTP1?: boolean; maxConcurrentStreams?: number } = {},
): Promise<NodeOrigin> {
  const argument = JSON.stringify({ ...(tls ? testCa().issue(["origin.test"]) : {}), ...options });
  const child = spawn(runtimePath("node"), [script("node_origin.ts"), argument], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const [line] = await Promise.race([
    once(child.stdout, "data"),
    closed.then(() => {
      throw new Error("node_origin.ts has ended");
    }),
  ]);
  return {
    port: Number(String(line)),
    secure: tls,
    async [Symbol.asyncDispose]() {
      child.kill();
      await closed;
    },
  };
}

/** A proxy that knows the server as origin.test. */
export function proxyOf(
  origin: { readonly port: number },
  { upstream, ...options }: ProxyOptions = {},
): Promise<Proxy> {
  return startProxy({
    upstream: { ca: testCa().cert, hosts: { "origin.test": `127.0.0.1:${origin.port}` }, ...upstream },
    ...options,
  });
}

/** Runs node_client.ts: TLS unless it is said otherwise. */
export async function nodeClient(
  proxy: Proxy,
  requests: ClientRequestOrder[],
  { secure = true, ...more }: { secure?: boolean; window?: number; inTurn?: boolean } = {},
): Promise<ClientResult[]> {
  const order: ClientOrder = {
    proxy: proxy.port,
    target: secure ? "origin.test:443" : "origin.test:80",
    ...(secure ? { ca: proxy.ca.cert } : {}),
    ...more,
    requests,
  };
  const { stdout, stderr, code } = await run(runtimePath("node"), [script("node_client.ts"), JSON.stringify(order)]);
  if (code !== 0) throw new Error(`node_client.ts: ${stderr}`);
  return JSON.parse(stdout);
}

/** One request. */
export async function ask(
  proxy: Proxy,
  request: ClientRequestOrder,
  options?: { secure?: boolean; window?: number },
): Promise<ClientResult> {
  const [result] = await nodeClient(proxy, [request], options);
  return result!;
}

/** The values of a field in a list of names and values. */
export function valuesOf(raw: readonly string[], name: string): string[] {
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]!.toLowerCase() === name);
}

function script(name: string): string {
  return join(import.meta.dirname!, name);
}
