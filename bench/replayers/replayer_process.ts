/**
 * One library that replays recordings, in a process of its own: records from a server, closes it, and is asked again. The client is
 * node:http in the same process, as these libraries replace it; for flowtape it is pointed at the proxy.
 */
import { mkdir } from "node:fs/promises";
import http, { Agent, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import type * as Flowtape from "../../src/mod.ts";
import { bodyFor, itemPath } from "../payload.ts";
import { serve } from "../rpc.ts";

export type ReplayerName = "flowtape" | "polly" | "nock";

interface Setting {
  readonly folder: string;
  /** The module of flowtape. */
  readonly flowtape: string;
  readonly exchanges: number;
}

/** A library that records or replays until it is stopped. */
interface Running {
  /** What the client has to be pointed at. */
  readonly proxy?: number;
  stop(): Promise<void>;
}

type Replayer = (mode: "record" | "replay", setting: Setting) => Promise<Running>;

const replayers: Record<ReplayerName, Replayer> = {
  async flowtape(mode, { folder, flowtape }) {
    const { startProxy }: typeof Flowtape = await import(flowtape);
    const proxy = await startProxy({ tape: { path: join(folder, "flowtape.har"), mode } });
    return { proxy: proxy.port, stop: () => proxy.close() };
  },
  async polly(mode, { folder }) {
    const { Polly } = await import("@pollyjs/core");
    const { default: Adapter } = await import("@pollyjs/adapter-node-http");
    const { default: Persister } = await import("@pollyjs/persister-fs");
    Polly.register(Adapter);
    Polly.register(Persister);
    const polly = new Polly("bench", {
      mode,
      adapters: ["node-http"],
      persister: "fs",
      persisterOptions: { fs: { recordingsDir: join(folder, "polly") } },
      recordIfMissing: false,
      // What is asked for again is answered again.
      matchRequestsBy: { order: false },
      logLevel: "silent",
    });
    return { stop: () => polly.stop() };
  },
  async nock(mode, { folder }) {
    const { default: nock } = await import("nock");
    await mkdir(join(folder, "nock"), { recursive: true });
    nock.back.fixtures = join(folder, "nock");
    nock.back.setMode(mode === "record" ? "update" : "lockdown");
    const { nockDone } = await nock.back("bench.json", {
      // An interceptor answers once unless it is told otherwise.
      after: (scope: { persist(): void }) => scope.persist(),
    });
    return {
      stop() {
        nockDone();
        nock.restore();
        return Promise.resolve();
      },
    };
  },
};

const name = process.argv[2] as ReplayerName;
const agent = new Agent({ keepAlive: true });
let running: Running | undefined;
let port = 0;
let exchanges = 0;

const methods = {
  /** Records so many exchanges with a server that is gone afterwards; its port. */
  async record(setting: Setting): Promise<number> {
    const server = createServer((request, response) => {
      response.setHeader("content-type", "text/plain");
      response.end(bodyFor(request.url!));
    });
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    port = (server.address() as AddressInfo).port;
    running = await replayers[name]("record", setting);
    for (let i = 0; i < setting.exchanges; i++) await ask(i);
    await running.stop();
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return port;
  },
  /** Starts replaying; the milliseconds until the first answer. */
  async replay(setting: Setting & { port: number }): Promise<number> {
    ({ port, exchanges } = setting);
    const begin = performance.now();
    running = await replayers[name]("replay", setting);
    await ask(0);
    return performance.now() - begin;
  },
  /** Asks so often; the microseconds of processor time for each request, client included. */
  async measure(requests: number): Promise<number> {
    const before = process.cpuUsage();
    for (let i = 0; i < requests; i++) await ask(i % exchanges);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / requests;
  },
};

function ask(i: number): Promise<void> {
  const path = itemPath(i);
  const host = `127.0.0.1:${port}`;
  const options = running?.proxy === undefined
    ? { host: "127.0.0.1", port, path }
    : { agent, host: "127.0.0.1", port: running.proxy, path: `http://${host}${path}`, headers: { host } };
  return new Promise((resolve, reject) => {
    // As a member: that is where others put theirs.
    const request = http.get(options, (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (text: string) => body += text);
      response.on("end", () => {
        if (response.statusCode === 200 && body === bodyFor(path)) resolve();
        else reject(new Error(`${name} answered ${response.statusCode} to ${path}: ${body.slice(0, 200)}`));
      });
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

export type ReplayerMethods = typeof methods;
serve(methods);
