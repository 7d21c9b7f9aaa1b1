/** Imports one module in a fresh process and prints the milliseconds that it took. */
import { performance } from "node:perf_hooks";
import process from "node:process";

const begin = performance.now();
await import(process.argv[2]!);
console.log(JSON.stringify([performance.now() - begin]));
process.exit();
