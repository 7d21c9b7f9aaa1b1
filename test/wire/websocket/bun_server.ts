/**
 * Starts the WebSocket server of `bun_echo.ts`.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runtimePath } from "../../support/runtime.ts";

/** A server in a process of its own. */
export interface BunEcho extends AsyncDisposable {
  readonly port: number;
}

/** Starts it, with TLS where a key and a certificate are given. */
export async function startBunEcho(tls?: { readonly key: string; readonly cert: string }): Promise<BunEcho> {
  const script = fileURLToPath(new URL("bun_echo.ts", import.meta.url));
  const server = spawn(runtimePath("bun"), [script], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...(tls && { KEY: tls.key, CERT: tls.cert }) },
  });
  let port = 0;
  for await (const line of createInterface({ input: server.stdout! })) {
    port = Number(line);
    break;
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.kill("SIGKILL");
      await closed;
    },
  };
}
