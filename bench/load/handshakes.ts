/** New TLS connections: many to one name, one to each of many names, many at once to a name that is new. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import process from "node:process";
import type { SecureContext, TLSSocket } from "node:tls";
import { BODY_BYTES } from "../payload.ts";
import { type Destination, dial, dialTls, type Endpoint, requestFor, trustIn } from "./connect.ts";
import { isWhole } from "./keep_alive.ts";
import type { Driven } from "./steady_load.ts";

/** Connects, asks once and leaves, over and over, without resumption. */
export async function reconnect(
  options: {
    endpoint: Endpoint;
    to: Destination;
    path: string;
    ms: number;
    clients: number;
  },
): Promise<Driven> {
  const trust = trustIn(options.endpoint);
  const begin = performance.now();
  const used = process.cpuUsage();
  let requests = 0;
  await Promise.all(Array.from({ length: options.clients }, async () => {
    while (performance.now() - begin < options.ms) {
      await visit(options.endpoint, options.to, options.path, trust);
      requests++;
    }
  }));
  const ms = performance.now() - begin;
  const { user, system } = process.cpuUsage(used);
  return { requests, ms, busy: (user + system) / 1000 / ms };
}

/** Meets each name for the first time, one after another; resolves to the milliseconds that each took to its response. */
export async function meetNames(
  options: { endpoint: Endpoint; names: string[]; path: string },
): Promise<number[]> {
  const trust = trustIn(options.endpoint);
  const times: number[] = [];
  for (const host of options.names) {
    const begin = performance.now();
    await visit(options.endpoint, { scheme: "https", host, port: 443 }, options.path, trust);
    times.push(performance.now() - begin);
  }
  return times;
}

/** Clients that are connected already ask for one new name in the same moment. */
export async function meetAtOnce(
  options: { endpoint: Endpoint; name: string; path: string; clients: number },
): Promise<{ ms: number; certificates: number }> {
  const trust = trustIn(options.endpoint);
  const to: Destination = { scheme: "https", host: options.name, port: 443 };
  const sockets = await Promise.all(Array.from({ length: options.clients }, () => dial(options.endpoint.port)));
  const begin = performance.now();
  const fingerprints = await Promise.all(sockets.map(async (socket) => {
    const secure = await dialTls(socket, to, { trust });
    const fingerprint = secure.getPeerCertificate().fingerprint256;
    await askOnce(secure, to, options.path);
    return fingerprint;
  }));
  return {
    ms: performance.now() - begin,
    certificates: new Set(fingerprints).size,
  };
}

async function visit(endpoint: Endpoint, to: Destination, path: string, trust: SecureContext): Promise<void> {
  await askOnce(await dialTls(await dial(endpoint.port), to, { trust }), to, path);
}

async function askOnce(socket: TLSSocket, to: Destination, path: string): Promise<void> {
  socket.write(requestFor(to, path));
  let bytes: Buffer = Buffer.alloc(0);
  do {
    const [chunk] = await once(socket, "data") as [Buffer];
    bytes = bytes.length ? Buffer.concat([bytes, chunk]) : chunk;
  } while (!isWhole(bytes, path, BODY_BYTES));
  socket.on("error", () => {}); // the proxy may still be writing its end of TLS
  socket.destroy();
}
