/** A proxy that answers everything by itself, until standard input ends. Then it says how many errors got away. */
import process from "node:process";
import { respond, startProxy } from "../../src/mod.ts";

let escaped = 0;
process.on("uncaughtException", () => escaped++);
process.on("unhandledRejection", () => escaped++);
const proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
console.log(proxy.port);
process.stdin.on("end", async () => {
  await proxy.close();
  console.log(`${escaped} errors got away`);
  process.exit(0);
}).resume();
