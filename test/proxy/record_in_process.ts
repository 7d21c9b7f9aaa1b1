/**
 * A process of its own that records from the server of its second argument on the tape of its first, until it is killed.
 *
 * @module
 */
import process from "node:process";
import { startProxy } from "../../src/mod.ts";

const [path, url] = process.argv.slice(-2) as [string, string];
const proxy = await startProxy({ tape: { path, mode: "record" } });
for (let i = 0;; i++) await (await proxy.fetch(`${url}/${i}`)).text();
