/**
 * A process that has a proxy, and tells which files the environment for its children names.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { startProxy } from "../../src/mod.ts";

await using proxy = await startProxy();
const env = proxy.env();
const files = [env["SSL_CERT_FILE"]!, env["WGETRC"]!, proxy.ca.trustStore];
console.log(JSON.stringify({ files, existed: files.map((it) => existsSync(it)) }));
