/**
 * A process of its own with a proxy whose way out is the proxy of its first argument; it tells its URL, and ends with its input.
 *
 * @module
 */
import process from "node:process";
import { startProxy } from "../../src/mod.ts";

const proxy = await startProxy({ upstream: { proxy: process.argv.at(-1)! } });
console.log(proxy.url);
process.stdin.resume().on("end", () => void proxy.close().finally(() => process.exit()));
