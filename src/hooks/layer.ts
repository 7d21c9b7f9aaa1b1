/**
 * What is spoken next on a connection.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { Peer } from "../flow/peer.ts";

/**
 * What a connection can be served as:
 *
 * | name | what happens |
 * |---|---|
 * | `tls` | TLS is opened with a certificate of the proxy's authority; what is in it is a layer of its own |
 * | `http1` | HTTP/1.1 is read |
 * | `http2` | HTTP/2 is read |
 * | `socks` | a SOCKS request is read; what is in the tunnel is a layer of its own |
 * | `tcp` | the bytes are relayed as they are to the target of the tunnel, as a {@linkcode TcpFlow}; TLS too, unopened |
 * | `drop` | the connection is reset |
 */
export type LayerName = typeof LAYER_NAMES[number];

/** Every {@linkcode LayerName}. */
export const LAYER_NAMES = ["tls", "http1", "http2", "socks", "tcp", "drop"] as const;

/** What a connection, a tunnel or what is inside of TLS is about to be served as. */
export interface Layer {
  /** What it is taken for. */
  readonly name: LayerName;
  /** The client's connection; `client.tls` is set behind TLS. */
  readonly client: Peer;
  /** The target of the CONNECT or SOCKS tunnel; none on the listening port. */
  readonly tunnel?: { readonly hostname: string; readonly port: number };
  /** The name in the client's TLS hello (SNI), when that is what has come. */
  readonly serverName?: string;
  /** The first bytes: one or more, or none when the server spoke first. */
  readonly data: Uint8Array;
}

/**
 * Refuses what is not a layer.
 *
 * @throws {OptionsError} says what is accepted
 */
export function checkLayer(value: unknown): asserts value is Layer {
  const name: unknown = typeof value === "object" && value !== null ? (value as Partial<Layer>).name : undefined;
  if (!(LAYER_NAMES as readonly unknown[]).includes(name)) {
    throw new OptionsError(
      `it returned ${
        JSON.stringify(name === undefined ? typeof value : { name })
      }: nothing or a layer is accepted, such as ` +
        `{ ...layer, name: "tcp" }; the names are ${LAYER_NAMES.join(", ")}`,
    );
  }
}
