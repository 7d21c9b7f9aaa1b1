/**
 * Which flowtape proxies a connection has come through, so that a ring of them is noticed.
 *
 * Between proxies of one process nothing is sent for it: whoever accepts a connection can look up who made it. Only the next proxy is
 * told, as it may be of another process: in the Via field of a CONNECT (RFC 9110 section 7.6.3), among the methods of SOCKS 5. Servers
 * never see it.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Peer } from "../flow/peer.ts";
import { FlowHeaders } from "../flow/headers.ts";

/** Names of proxies, the first one first. */
export type Trail = readonly string[];

/** A ring is noticed when it closes; what is longer has been made up. */
const MAX_LENGTH = 64;
const NONE: Trail = [];

const trails = new WeakMap<Peer, Trail>();
/** The connections that proxies of this process have made, by their two ends. */
const outgoing = new Map<string, Trail>();

/** A name that no other proxy has. */
export function newProxyName(): string {
  return `flowtape-${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
}

/** The proxies that a client's requests have come through, as far as that is known. */
export function trailOf(client: Peer): Trail {
  return trails.get(client) ?? NONE;
}

/** Notes that a connected socket was made by a proxy, until it is closed. */
export function depart(socket: Socket, trail: Trail): void {
  const key = keyOf(socket.localAddress, socket.localPort, socket.remotePort);
  outgoing.set(key, trail);
  socket.once("close", () => outgoing.delete(key));
}

/** Finds out whether a client is a proxy of this process. Its first bytes must have come: only then has it surely departed. */
export function arrive(client: Peer): void {
  if (outgoing.size === 0 || trails.has(client)) return;
  const trail = outgoing.get(keyOf(client.address, client.port, client.localPort));
  if (trail !== undefined) trails.set(client, trail);
}

/** A client has said itself which way it has come. */
export function comeThrough(client: Peer, trail: Trail): void {
  if (trail.length > 0) trails.set(client, [...new Set([...trail, ...trailOf(client)])].slice(-MAX_LENGTH));
}

/**
 * A client in a tunnel has come the way of the one who asked for the tunnel.
 *
 * @param fields of the request for it
 */
export function goOn(from: Peer, to: Peer, fields: string): void {
  const said = VIA.test(fields) ? FlowHeaders.fromFields(fields).getAll("via").join() : "";
  comeThrough(to, [...(said.match(NAME) ?? []), ...trailOf(from)]);
}

/** The value of Via in a CONNECT to the next proxy. */
export function viaOf(trail: Trail): string {
  return trail.map((name) => `1.1 ${name}`).join(", ");
}

const VIA = /^via:/im;
const NAME = /\bflowtape-[0-9a-f]{16}\b/g;

// Both ends see the same addresses, but a socket for both families writes those of IPv4 in its own way.
function keyOf(address = "", port = 0, to = 0): string {
  return `${address.replace(/^::ffff:(?=\d+\.)/i, "")} ${port} ${to}`;
}
