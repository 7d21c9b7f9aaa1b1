/**
 * A process that points its clients at a proxy: asks a server with each of them before, while and after they are pointed there, and
 * tells what they got and what the proxy has seen.
 *
 * @module
 */
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { type HttpFlow, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { type Client, CLIENTS } from "./clients.ts";

/** What came of its requests, and which of them the proxy has seen. */
export interface Told {
  before: string;
  through: string[];
  after: string;
  seen: string[];
}

const clients = process.argv.includes("undici") ? (await import("./undici_clients.ts")).UNDICI : CLIENTS;
const told: Record<string, unknown> = {};
for (const [name, client] of Object.entries(clients)) {
  told[name] = [await tell(client, "http"), await tell(client, "https")];
}
console.log(JSON.stringify(told));
process.exit();

/** What never ends is told of, too. */
async function late(): Promise<string> {
  await setTimeout(20_000, undefined, { ref: false });
  return "no answer in 20 s";
}

async function tell(client: Client, scheme: "http" | "https"): Promise<Told> {
  await using origin = await startOrigin(({ target }) => ({ body: target }), scheme === "https" ? { tls: true } : {});
  await using proxy = await startProxy({ upstream: { ca: origin.ca || [] } });
  const ask = (path: string) => Promise.race([client(origin.url + path).catch(() => "failed"), late()]);
  const before = await ask("/before");
  const installed = proxy.install();
  const through = [await ask("/through"), await ask("/again")];
  installed[Symbol.dispose]();
  const after = await ask("/after");
  // Another process may take the port of this proxy for one that it knew before.
  const seen = [...proxy.flows.filter({ port: origin.port })].map((flow) => (flow as HttpFlow).request.path);
  return { before, through, after, seen };
}
