/**
 * `spawn()`: a server process that is there while it is needed. The servers are of Node, and Python's http.server.
 */
import { Buffer } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { type HandlerInfo, mount, spawn, type SpawnOptions } from "../../src/gateway/mod.ts";
import { startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { run } from "../support/run.ts";
import { hasCommand, runtimePath } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { openSocket, tell } from "./client.ts";

const PATIENTLY = { timeout: 10_000 };
const node = runtimePath("node");

/** A server that tells about itself; it writes "up" when it listens, and dies when it is asked to. */
const SERVER = `
import http from "node:http";
const server = http.createServer((request, response) => {
  if (request.url === "/die") process.exit(3);
  if (request.url === "/health") return response.writeHead(process.uptime() > 0.3 ? 200 : 503).end();
  if (request.url === "/hang") return response.write("so far");
  let body = "";
  request.on("data", (data) => body += data).on("end", () => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ pid: process.pid, url: request.url, headers: request.headers, body, env: process.env.GREETING }));
  });
});
server.listen(Number(process.argv[2] ?? process.env.PORT), "127.0.0.1", () => console.log("up"));
process.on("SIGTERM", () => { if (process.env.DEAF === undefined) process.exit(0); });
`;

interface Told {
  pid: number;
  url: string;
  headers: Record<string, string>;
  body: string;
  env?: string;
}

/** The command that runs a program in Node. */
const program = (source: string, ...args: string[]) => [node, "--input-type=module", "--eval", source, "--", ...args];

/** A handler for the server above, and what it logs. */
function serving(options: Partial<SpawnOptions> = {}) {
  const log: string[] = [];
  const handler = spawn({ command: program(SERVER, "__PORT__"), log: (line) => void log.push(line), ...options });
  const info = { remoteAddr: { transport: "tcp", hostname: "192.0.2.7", port: 1 } } as unknown as HandlerInfo;
  const ask = async (path = "/", init: RequestInit = {}) =>
    await handler(new Request(`https://shop.test${path}`, init), info);
  const tells = async (path?: string, init?: RequestInit) => await (await ask(path, init)).json() as Told;
  return { handler, log, ask, tells, [Symbol.asyncDispose]: () => handler.close() };
}

/** Whether a process is there. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("the process", () => {
  test("WSGIProxy test_create: starts with the first request, and serves all that follow", async () => {
    await using it = serving();
    expect(it.log).toEqual([]);
    const first = await it.tells("/a?b=c", { method: "POST", body: "hello" });
    expect([first.url, first.body]).toEqual(["/a?b=c", "hello"]);
    expect((await it.tells()).pid).toBe(first.pid);
    await it.handler.close();
    expect(alive(first.pid)).toBe(false);
  });

  test("is told what the client has asked for, with the Host of the client", async () => {
    await using it = serving({ secret: "a shared secret" });
    const { headers } = await it.tells("/", { headers: { "x-forwarded-for": "10.9.9.9" } });
    expect(headers).toMatchObject({
      "host": "shop.test",
      "x-forwarded-for": "192.0.2.7",
      "x-forwarded-scheme": "https",
      "x-forwarded-host": "shop.test",
      "x-flowtape-signature": expect.stringMatching(/^t=\d+,n=/),
    });
  });

  test("starts once for many requests at once", async () => {
    await using it = serving();
    const pids = await Promise.all(Array.from({ length: 20 }, async () => (await it.tells()).pid));
    expect(new Set(pids).size).toBe(1);
    expect(it.log.filter((line) => line.endsWith(": up")).length).toBe(1);
  });

  test("has its folder, its environment, and the port in PORT", async () => {
    await using folder = await tempFolder();
    await using it = serving({ command: program(SERVER), cwd: folder.path, env: { GREETING: "hello __PORT__" } });
    expect((await it.tells()).env).toMatch(/^hello \d+$/);
  });

  test("that dies is started again by the next request, and the log says why", async () => {
    await using it = serving();
    const { pid } = await it.tells();
    const died = await it.ask("/die");
    expect([died.status, died.headers.get("x-flowtape-error")]).toEqual([502, "UPSTREAM_CLOSED"]);
    await expect.poll(() => it.log.some((line) => line.endsWith("ended with exit code 3")), PATIENTLY).toBe(true);
    const again = await it.tells();
    expect(again.pid).not.toBe(pid);
  });

  test("that is idle is stopped, and started again by the next request", async () => {
    await using it = serving({ idleTimeout: 50 });
    const { pid } = await it.tells();
    await expect.poll(() => alive(pid), PATIENTLY).toBe(false);
    expect((await it.tells()).pid).not.toBe(pid);
  });

  test("is not idle while an answer is being read", async () => {
    await using it = serving({ idleTimeout: 50 });
    const response = await it.ask("/hang");
    const reader = response.body!.getReader();
    await reader.read();
    const { pid } = await it.tells();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(alive(pid)).toBe(true);
    await reader.cancel();
    await expect.poll(() => alive(pid), PATIENTLY).toBe(false);
  });

  test("that does not end when it is asked to is killed", async () => {
    await using it = serving({ env: { DEAF: "1" }, stopTimeout: 100 });
    const { pid } = await it.tells();
    await it.handler.close();
    expect(alive(pid)).toBe(false);
    // Deno names the signal that was sent first.
    expect(it.log.at(-1)).toMatch(/was ended by SIG(?:KILL|TERM)$/);
  });

  test("is gone after close(), and requests are answered with 502", async () => {
    const it = serving();
    await it.tells();
    await it.handler.close();
    const late = await it.ask();
    expect([late.status, late.headers.get("x-flowtape-error")]).toEqual([502, "SPAWN_CLOSED"]);
    await it.handler.close();
  });

  test("that is closed while it starts", async () => {
    const it = serving({ ready: "never" });
    const asked = it.ask();
    await expect.poll(() => it.log.length, PATIENTLY).toBe(1);
    await it.handler.close();
    expect((await asked).status).toBe(502);
  });

  test("that is closed while an idle one ends and a request waits for the next: nothing is left", async () => {
    const slowly = SERVER.replace("process.exit(0)", "setTimeout(() => process.exit(0), 500)");
    const it = serving({ command: program(slowly, "__PORT__"), idleTimeout: 1 });
    const { pid } = await it.tells();
    const waiting = new Promise<number>((resolve) => {
      setTimeout(() => it.ask().then((response) => resolve(response.status)), 250);
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await it.handler.close();
    expect(alive(pid)).toBe(false);
    expect(await waiting).toBe(502);
    expect(it.log.filter((line) => line.endsWith(": up")).length).toBe(1);
  });

  test("that writes a line without an end, 100 MB long: its beginning is kept, and it goes on", async () => {
    const flood = `
      const piece = Buffer.alloc(1 << 20, "x");
      let left = 100;
      const write = () => {
        while (left-- > 0) if (!process.stdout.write(piece)) return process.stdout.once("drain", write);
        process.stdout.write("\\nnext\\n");
      };
      write();
    `.replaceAll("\\\\", "\\");
    await using it = serving({ command: program(SERVER + flood, "__PORT__") });
    expect((await it.tells()).url).toBe("/");
    await expect.poll(() => it.log.some((line) => line.endsWith(": next")), { timeout: 30_000 }).toBe(true);
    expect(Math.max(...it.log.map((line) => line.length))).toBeLessThan(2200);
  });

  test("whose port somebody else listens on is not started: that server would be taken for it", async () => {
    await using other = await startOrigin();
    await using it = serving({ port: other.port });
    const response = await it.ask();
    expect([response.status, response.headers.get("x-flowtape-error")]).toEqual([502, "SPAWN_FAILED"]);
    expect(await response.text()).toContain(`somebody else listens on 127.0.0.1:${other.port} already`);
    expect(other.requests).toEqual([]);
  });

  test("ends with the process that has started it", async () => {
    await using folder = await tempFolder();
    const file = `${folder.path}/pid`;
    const script = `${folder.path}/parent.ts`;
    writeFileSync(
      script,
      `import { writeFileSync } from "node:fs";
      import { spawn } from ${JSON.stringify(new URL("../../src/gateway/mod.ts", import.meta.url).href)};
      const handler = spawn({ command: ${JSON.stringify(program(SERVER, "__PORT__"))} });
      const { pid } = await (await handler(new Request("http://a.test/"), {})).json();
      writeFileSync(${JSON.stringify(file)}, String(pid));`,
    );
    // Of the three, Bun runs the sources as they are.
    const { code, stderr } = await run(runtimePath("bun"), [script], { timeoutMs: 30_000 });
    expect([code, stderr]).toEqual([0, ""]);
    const pid = Number(readFileSync(file, "utf8"));
    await expect.poll(() => alive(pid), PATIENTLY).toBe(false);
  });
});

describe("ready", () => {
  test.each<[string, Partial<SpawnOptions>]>([
    ["when it listens", {}],
    ["when it answers a path", { ready: "/health" }],
    ["when a line has a text", { ready: "up" }],
    ["when a line matches", { ready: /^u[p]$/ }],
  ])("%s", async (_, options) => {
    await using it = serving(options);
    expect((await it.tells("/x")).url).toBe("/x");
  });

  test("never: 502, which shows what it has written, and the process is stopped", async () => {
    const source = `console.log("warming up"); console.error("still cold", process.pid); setInterval(() => {}, 1000);`;
    await using it = serving({ command: program(source), readyTimeout: 700 });
    const response = await it.ask();
    const text = await response.text();
    expect([response.status, response.headers.get("x-flowtape-error")]).toEqual([502, "SPAWN_NOT_READY"]);
    expect(text).toMatch(
      /did not listen on 127\.0\.0\.1:\d+ \(does the command have __PORT__, or read PORT\?\) within 700 ms \(readyTimeout\)/,
    );
    expect(text).toContain("warming up");
    const pid = Number(/still cold (\d+)/.exec(text)![1]);
    expect(alive(pid)).toBe(false);
  });

  test("never, because it ends: 502 with its last lines, and the next request tries again", async () => {
    await using it = serving({ command: program(`console.error("no config: " + process.pid); process.exit(7)`) });
    const [one, other] = [await (await it.ask()).text(), await (await it.ask()).text()];
    expect(one).toMatch(/of spawn\(\) ended with exit code 7\. Its last lines:\nno config: \d+/);
    expect(other).not.toBe(one);
  });

  test.each([
    [
      ["flowtape-no-such-command"],
      {},
      /"flowtape-no-such-command" of spawn\(\) could not be started: .*(?:ENOENT|not found)/,
    ],
    [[node], { cwd: "/no/such/folder" }, /could not be started/],
  ])("never: %j %j", async (command, options, message) => {
    await using it = serving({ command, ...options });
    const response = await it.ask();
    expect([response.status, response.headers.get("x-flowtape-error")]).toEqual([502, "SPAWN_FAILED"]);
    expect(await response.text()).toMatch(message);
  });
});

test.each([
  [{}, /spawn\(\) needs a command/],
  [{ command: "python3 app.py" }, /option command is "python3 app\.py": a program and its arguments/],
  [{ command: [] }, /option command/],
  [{ command: [""] }, /option command\[0\]/],
  [{ command: ["a"], port: 70000 }, /option port is 70000/],
  [{ command: ["a"], ready: 5 }, /option ready is 5/],
  [{ command: ["a"], env: { A: 1 } }, /option env\["A"\]/],
  [{ command: ["a"], idleTimeOut: 1 }, /idleTimeOut.*idleTimeout/],
])("%j is refused", (options, message) => {
  expect(() => spawn(options as unknown as SpawnOptions)).toThrow(message);
});

describe("behind a proxy", () => {
  test("its output is in the proxy's log, and WebSockets reach it", async () => {
    const source = `
    import http from "node:http";
    import { createHash } from "node:crypto";
    const server = http.createServer().on("upgrade", (request, socket) => {
      const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
      socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: " + accept + "\\r\\n\\r\\n");
      socket.once("data", () => socket.write(Buffer.from([0x81, 2, 104, 105])));
      socket.on("error", () => {});
    });
    server.listen(process.env.PORT, "127.0.0.1", () => console.log("socket server up"));`;
    await using handler = spawn({ command: program(source) });
    const log: string[] = [];
    await using proxy = await startProxy({
      app: mount(handler),
      addons: [{ log: ({ message }) => void log.push(message) }],
    });
    const peer = await openSocket(proxy, "ws://shop.test/chat");
    expect(await tell(peer, "hello")).toBe("hi");
    await peer[Symbol.asyncDispose]();
    expect(log.join("\n")).toContain("]: socket server up");
  });

  test.runIf(hasCommand("python3"))("Python's http.server, over HTTPS", async () => {
    await using folder = await tempFolder();
    writeFileSync(`${folder.path}/hello.txt`, "hello from Python");
    await using handler = spawn({
      command: ["python3", "-m", "http.server", "--bind", "127.0.0.1", "__PORT__"],
      cwd: folder.path,
    });
    await using proxy = await startProxy({ app: mount(handler) });
    const response = await proxy.fetch("https://files.test/hello.txt");
    expect(Buffer.from(await response.arrayBuffer()).toString()).toBe("hello from Python");
    expect(response.headers.get("server")).toContain("Python");
  });
});
