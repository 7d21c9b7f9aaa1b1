/**
 * Proxies that others have written, as child processes: squid and tinyproxy.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter } from "node:path";
import process from "node:process";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import { closedPort } from "./next_proxy.ts";

/** A proxy that is running. */
export interface RealProxy extends AsyncDisposable {
  readonly port: number;
  /** Ends it, and waits until it is gone. */
  stop(): Promise<void>;
}

/** Whom it lets pass. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The proxies there are, by the name of their program. */
export const REAL_PROXIES = ["squid", "tinyproxy"] as const;

// Debian keeps them where a user's PATH may not lead.
process.env.PATH += `${delimiter}/usr/sbin`;

/** Starts one on a port of 127.0.0.1 that is free; with credentials it asks for them, in Basic authentication. */
export async function startRealProxy(name: typeof REAL_PROXIES[number], auth?: Credentials): Promise<RealProxy> {
  const folder = await tempFolder();
  try {
    // As root squid becomes another user, who must be able to write there.
    await chmod(folder.path, 0o777);
    const port = await closedPort();
    const args = name === "squid" ? await squid(folder, port, auth) : await tinyproxy(folder, port, auth);
    return await start(name, args, port, folder);
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

async function squid(folder: TempFolder, port: number, auth: Credentials | undefined): Promise<string[]> {
  const lines = [
    `http_port 127.0.0.1:${port}`,
    "pid_filename none",
    `cache_log ${folder.file("cache.log")}`,
    `coredump_dir ${folder.path}`,
    "access_log none",
    "cache deny all",
    "pinger_enable off",
    "shutdown_lifetime 0 seconds",
  ];
  if (auth === undefined) {
    lines.push("http_access allow all");
  } else {
    // Its own helper is elsewhere on every system. What it is asked is "name password", each in percent encoding.
    const [name, password] = [auth.username, auth.password].map((it) => encodeURIComponent(it).toLowerCase());
    await writeFile(
      folder.file("auth.sh"),
      `while read -r line; do\n` +
        `  case $(echo "$line" | tr A-F a-f) in "${name} ${password}") echo OK ;; *) echo ERR ;; esac\ndone\n`,
    );
    lines.push(
      `auth_param basic program /bin/sh ${folder.file("auth.sh")}`,
      "auth_param basic children 1",
      "acl known proxy_auth REQUIRED",
      "http_access allow known",
      "http_access deny all",
    );
  }
  await writeFile(folder.file("squid.conf"), lines.join("\n") + "\n");
  return ["-N", "-f", folder.file("squid.conf")];
}

async function tinyproxy(folder: TempFolder, port: number, auth: Credentials | undefined): Promise<string[]> {
  const lines = [
    `Port ${port}`,
    "Listen 127.0.0.1",
    "Allow 127.0.0.1",
    "Timeout 60",
    "MaxClients 50",
    `LogFile "${folder.file("log")}"`,
    ...(auth === undefined ? [] : [`BasicAuth ${auth.username} ${auth.password}`]),
  ];
  await writeFile(folder.file("tinyproxy.conf"), lines.join("\n") + "\n");
  return ["-d", "-c", folder.file("tinyproxy.conf")];
}

async function start(name: string, args: string[], port: number, folder: TempFolder): Promise<RealProxy> {
  const child = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => said += text);
  let over = false;
  const closed = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      said += error.message;
      over = true;
      resolve();
    });
    child.once("close", () => {
      over = true;
      resolve();
    });
  });
  const stop = async () => {
    if (!over) child.kill("SIGKILL");
    await closed;
    await folder[Symbol.asyncDispose]();
  };
  const deadline = performance.now() + 10_000;
  while (!over && !await listens(port)) {
    if (performance.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (over || performance.now() > deadline) {
    await stop();
    throw new Error(`${name} does not start: ${said}`);
  }
  return { port, stop, [Symbol.asyncDispose]: stop };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
