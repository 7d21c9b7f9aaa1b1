/**
 * The wire of one proxy: a port on one side, servers on the other, flows in between.
 *
 * @module
 */
export { type CaOptions, type CertificateAuthority, openCa } from "./ca/mod.ts";
export { openWire } from "./open_wire.ts";
export type { Wire, WireOptions } from "./wire.ts";
export type { Observer } from "./wire_context.ts";
