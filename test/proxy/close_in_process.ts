/**
 * A process of its own in which a proxy with connections of every kind is closed. It tells what became of them as one line of JSON,
 * and ends by itself if nothing is left behind.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { startProxy } from "../../src/mod.ts";
import { startCrowd } from "../support/crowd.ts";
import { leftOpen, openResources } from "./resources.ts";

const count = Number(process.argv.at(-1));
let escaped = 0;
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error: unknown) => {
    escaped++;
    process.stderr.write(`${event}: ${error instanceof Error ? error.stack : error}\n`);
  });
}

/** The TCP sockets of this process, as the kernel counts them; none where it does not say. Runtimes have pairs of others of their own. */
function sockets(): number {
  try {
    const tables = ["tcp", "tcp6"].map((name) => readFileSync(`/proc/net/${name}`, "utf8"));
    const known = new Set(tables.join("\n").split("\n").map((line) => line.trim().split(/\s+/)[9]));
    return readdirSync("/proc/self/fd").filter((fd) => known.has(inodeOf(fd) ?? "-")).length;
  } catch {
    return 0;
  }
}

function inodeOf(fd: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  } catch {
    // The one that lists them is closed again.
    return undefined;
  }
}

/** Closes a proxy with so many connections of every kind. */
async function closeWith(count: number) {
  await using crowd = await startCrowd();
  const hooks = { connected: 0, ended: 0, servers: 0 };
  const proxy = await startProxy({
    ...crowd.options,
    addons: [{
      clientConnect: () => void hooks.connected++,
      clientDisconnect: () => void hooks.connected--,
      serverConnect: () => void hooks.servers++,
      serverDisconnect: () => void hooks.servers--,
      error: () => void hooks.ended++,
      tcpError: () => void hooks.ended++,
    }],
  });
  await crowd.come(proxy, count);
  const inFlight = [...proxy.flows].filter((flow) => !flow.done);
  const open = sockets();
  await proxy.close();
  // What the proxy has closed, the clients learn by themselves.
  await Promise.all(crowd.clients.map(({ connection }) => connection.closed));
  const codes: Record<string, number> = {};
  for (const { error, done } of inFlight) {
    const code = done ? error?.code ?? "no error" : "not done";
    codes[code] = (codes[code] ?? 0) + 1;
  }
  return { inFlight: inFlight.length, codes, hooks, open };
}

// The first time also loads what is loaded when it is needed.
await closeWith(1);
const resources = openResources();
const before = sockets();
const told = await closeWith(count);
const left = await leftOpen(resources);
// The kernel, too, may take a moment.
const deadline = performance.now() + 2000;
while (sockets() > before && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
console.log(JSON.stringify({ ...told, left, sockets: sockets() - before, escaped }));
