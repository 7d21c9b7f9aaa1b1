/**
 * Stores of every kind, for tests.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createStorage, type Storage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import httpDriver from "unstorage/drivers/http";
import redisDriver from "unstorage/drivers/redis";
import { createStorageServer } from "unstorage/server";
import { hasCommand } from "../../support/runtime.ts";
import { tempFolder } from "../../support/temp.ts";

/** A storage that is there until it is disposed of. */
export interface OpenStorage extends AsyncDisposable {
  /** Another instance that sees the same values, as on another machine. */
  connect(): Storage;
}

/** Those that can be had here. On CI all must be. */
export const STORAGES: readonly [name: string, open: () => Promise<OpenStorage>][] = [
  ["memory", memory],
  ["fs", files],
  ["http", http],
  ...(hasRedis() ? [["redis", redis] as [string, () => Promise<OpenStorage>]] : []),
];

function hasRedis(): boolean {
  if (process.env.CI || hasCommand("redis-server")) return true;
  console.log("skipped: tapes in Redis, because redis-server is not installed");
  return false;
}

function memory(): Promise<OpenStorage> {
  const storage = createStorage();
  return Promise.resolve({ connect: () => storage, [Symbol.asyncDispose]: () => storage.dispose() });
}

async function files(): Promise<OpenStorage> {
  const folder = await tempFolder();
  return {
    connect: () => createStorage({ driver: fsDriver({ base: folder.path }) }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function http(): Promise<OpenStorage> {
  const storage = createStorage();
  const server = createServer(createStorageServer(storage).handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    connect: () => createStorage({ driver: httpDriver({ base }) }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function redis(): Promise<OpenStorage> {
  const folder = await tempFolder();
  const path = folder.file("redis.sock");
  const flags = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", folder.path];
  const server = spawn("redis-server", flags, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  server.stdout.setEncoding("utf8");
  await new Promise<void>((resolve, reject) => {
    server.stdout.on("data", (text: string) => {
      said += text;
      if (said.includes("eady to accept connections")) resolve();
    });
    server.once("error", reject);
    server.once("close", () => reject(new Error(`redis-server ended:\n${said}`)));
  });
  const storages: Storage[] = [];
  return {
    connect() {
      const storage = createStorage({ driver: redisDriver({ path, base: "fleet" }) });
      storages.push(storage);
      return storage;
    },
    async [Symbol.asyncDispose]() {
      for (const storage of storages) await storage.dispose();
      const closed = once(server, "close");
      server.kill();
      await closed;
      await folder[Symbol.asyncDispose]();
    },
  };
}
