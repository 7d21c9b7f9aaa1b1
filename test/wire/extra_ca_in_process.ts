/**
 * A process of its own that trusts an authority by its environment, whose proxy trusts another one by `upstream.ca`; it tells which of
 * the servers in its arguments were reached, as one line of JSON.
 *
 * @module
 */
import process from "node:process";
import { startProxy } from "../../src/mod.ts";

const [ca = "", ...urls] = process.argv.slice(2);
await using proxy = await startProxy({ upstream: { ca } });
const seen: string[] = [];
for (const url of urls) {
  const response = await proxy.fetch(url);
  seen.push(`${response.status} ${(await response.text()).slice(0, 2)}`);
}
console.log(JSON.stringify(seen));
