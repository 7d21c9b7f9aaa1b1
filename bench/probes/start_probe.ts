/** Starts proxies one after another in a fresh process and prints the milliseconds until each was ready. */
import { performance } from "node:perf_hooks";
import process from "node:process";

const LATER = 20;

const [name, specifier] = process.argv.slice(2) as [string, string];
const library = await import(specifier);
const times: number[] = [];
let authority: unknown;
for (let i = 0; i <= LATER; i++) {
  const begin = performance.now();
  const stop = name === "flowtape" ? await startFlowtape() : await startMockttp();
  times.push(performance.now() - begin);
  await stop();
}
console.log(JSON.stringify(times));
process.exit();

async function startFlowtape(): Promise<() => Promise<void>> {
  const proxy = await library.startProxy();
  return () => proxy.close();
}

/** With an authority, so that it can intercept HTTPS as flowtape can; made once, as its documentation advises. */
async function startMockttp(): Promise<() => Promise<void>> {
  authority ??= await library.generateCACertificate();
  const server = library.getLocal({ https: authority });
  await server.start();
  return () => server.stop();
}
