// Streams and conversations of real clients, recorded with a server and replayed without one.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, startProxy, tcp, type TcpFlow } from "../../src/mod.ts";
import { testCa } from "../support/certificates.ts";
import { type Origin, type OriginHandler, startOrigin } from "../support/origin.ts";
import { run } from "../support/run.ts";
import { hasCommand, type Runtime, runtimePath, RUNTIMES } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { startBunEcho } from "../wire/websocket/bun_server.ts";
import { openTunnel } from "../wire/tunnel.ts";
import { PATIENTLY } from "../wire/http1_client.ts";

/** Runs a client with an origin and a proxy that records, then without the origin; what it printed must be the same. */
async function twice(
  handler: OriginHandler,
  client: (proxy: Proxy, origin: Origin) => Promise<string>,
  options: { tls?: true } = {},
): Promise<string> {
  await using folder = await tempFolder();
  const path = folder.file("stream.har");
  let origin: Origin;
  let live: string;
  {
    await using running = await startOrigin(handler, options);
    origin = running;
    await using proxy = await startProxy({ tape: { path, mode: "record" }, upstream: { ca: origin.ca || [] } });
    live = await client(proxy, origin);
    await expect.poll(() => [...proxy.flows].every(({ done }) => done), PATIENTLY).toBe(true);
  }
  await using proxy = await startProxy({ tape: { path, mode: "replay" } });
  expect(await client(proxy, origin)).toBe(live);
  expect([...proxy.flows].map(({ source }) => source)).toEqual([...proxy.flows].map(() => "tape"));
  expect(proxy.unused).toEqual([]);
  return live;
}

async function* events(): AsyncGenerator<string> {
  yield "id: 1\ndata: one\n\n";
  yield "event: named\ndata: zw\u00f6lf\n\n";
  yield "data: three\n\n";
}

/** The same, and then nothing for ever. */
function endless(): { body: AsyncIterable<string>; over: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* body() {
    yield* events();
    await promise;
  }
  return { body: body(), over: resolve };
}

const SSE: [string, string][] = [["Content-Type", "text/event-stream"]];

async function print(
  name: Runtime,
  code: string,
  env: Record<string, string | undefined>,
  flags: string[] = [],
): Promise<string> {
  const args = {
    node: [...flags, "--input-type=module", "--eval", code],
    deno: ["eval", "--no-config", code],
    bun: ["--eval", code],
  };
  const { stdout, stderr } = await run(runtimePath(name), args[name], { env });
  if (stdout === "") throw new Error(stderr);
  return stdout;
}

describe.each(RUNTIMES)("%s", (name) => {
  test.each(["http", "https"])("fetch reads a stream of events, over %s", async (scheme) => {
    const printed = await twice(
      () => ({ headers: SSE, body: events() }),
      (proxy, origin) =>
        print(
          name,
          `const response = await fetch(${JSON.stringify(`${origin.url}/events`)});
           let text = "";
           for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) text += chunk;
           console.log(JSON.stringify(text));`,
          proxy.env(),
        ),
      scheme === "https" ? { tls: true } : {},
    );
    expect(JSON.parse(printed)).toBe("id: 1\ndata: one\n\nevent: named\ndata: zw\u00f6lf\n\ndata: three\n\n");
  });

  test("fetch leaves a stream that has no end", async () => {
    const open: (() => void)[] = [];
    const printed = await twice(
      () => {
        const { body, over } = endless();
        open.push(over);
        return { headers: SSE, body };
      },
      async (proxy, origin) => {
        const text = await print(
          name,
          `const controller = new AbortController();
           const response = await fetch(${JSON.stringify(`${origin.url}/events`)}, { signal: controller.signal });
           const decoder = new TextDecoder();
           let text = "";
           for await (const chunk of response.body) {
             text += decoder.decode(chunk, { stream: true });
             if (text.includes("three\\n\\n")) break;
           }
           controller.abort();
           console.log(JSON.stringify(text));`,
          proxy.env(),
        );
        for (const over of open.splice(0)) over();
        return text;
      },
    );
    expect(JSON.parse(printed)).toContain("data: three\n\n");
  });

  test("WebSocket", async () => {
    await using folder = await tempFolder();
    const path = folder.file("chat.har");
    const echo = await startBunEcho(testCa().issue(["127.0.0.1"]));
    const talk = (proxy: Proxy) => {
      // Bun's WebSocket does not read the environment.
      const options = name === "bun" ? JSON.stringify({ proxy: proxy.url, tls: { ca: proxy.ca.cert } }) : "{}";
      const code = `
        const socket = new WebSocket("wss://127.0.0.1:${echo.port}/chat", ${options});
        socket.binaryType = "arraybuffer";
        const words = ["hello", JSON.stringify({ a: 1 }), Uint8Array.of(0, 255), "x".repeat(5000)];
        const seen = [];
        socket.onopen = () => socket.send(words[0]);
        socket.onmessage = ({ data }) => {
          seen.push(typeof data === "string" ? data : [...new Uint8Array(data)].join(" "));
          if (seen.length < words.length) socket.send(words[seen.length]);
          else socket.send("close 4001 enough");
        };
        socket.onclose = ({ code, reason }) => console.log(JSON.stringify([...seen, code, reason]));`;
      return print(name, code, proxy.env());
    };
    let live: string;
    try {
      await using proxy = await startProxy({ tape: { path, mode: "record" }, upstream: { ca: testCa().cert } });
      live = await talk(proxy);
    } finally {
      await echo[Symbol.asyncDispose]();
    }
    expect(JSON.parse(live)).toEqual(["hello", '{"a":1}', "0 255", "x".repeat(5000), 4001, "enough"]);
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    expect(await talk(proxy)).toBe(live);
    expect((proxy.flows.last() as HttpFlow).source).toBe("tape");
  });
});

// Bun has no EventSource.
test.each(["node", "deno"] as const)("EventSource of %s: what came until it was closed", async (name) => {
  const open: (() => void)[] = [];
  const printed = await twice(
    () => {
      const { body, over } = endless();
      open.push(over);
      return { headers: SSE, body };
    },
    async (proxy, origin) => {
      const text = await print(
        name,
        `const source = new EventSource(${JSON.stringify(`${origin.url}/events`)});
         const seen = [];
         const note = (event) => {
           seen.push([event.type, event.data, event.lastEventId]);
           if (seen.length < 3) return;
           source.close();
           console.log(JSON.stringify(seen));
         };
         source.onmessage = note;
         source.addEventListener("named", note);`,
        proxy.env(),
        ["--experimental-eventsource"],
      );
      for (const over of open.splice(0)) over();
      return text;
    },
  );
  expect(JSON.parse(printed)).toEqual([["message", "one", "1"], ["named", "zw\u00f6lf", "1"], [
    "message",
    "three",
    "1",
  ]]);
});

test.runIf(hasCommand("curl"))("curl -N", async () => {
  const printed = await twice(() => ({ headers: SSE, body: events() }), async (proxy, origin) => {
    const args = ["--silent", "--show-error", "--no-buffer", "--proxy", proxy.url, `${origin.url}/events`];
    return (await run("curl", args)).stdout;
  });
  expect(printed).toBe("id: 1\ndata: one\n\nevent: named\ndata: zw\u00f6lf\n\ndata: three\n\n");
});

test.runIf(hasCommand("python3"))("Python reads lines of JSON as they come", async () => {
  async function* lines() {
    for (const it of [1, 2, 3]) yield `{"number":${it}}\n`;
  }
  const printed = await twice(
    () => ({ headers: [["Content-Type", "application/x-ndjson"]], body: lines() }),
    async (proxy, origin) => {
      const script = `import json, sys, urllib.request
print([json.loads(line)["number"] for line in urllib.request.urlopen(sys.argv[1], timeout=8)])`;
      return (await run("python3", ["-c", script, `${origin.url}/numbers`], { env: proxy.env() })).stdout;
    },
  );
  expect(printed).toBe("[1, 2, 3]\n");
});

test.runIf(hasCommand("redis-server"))("a Redis server, and then none", async () => {
  await using folder = await tempFolder();
  const path = folder.file("redis.har");
  const port = await freePort();
  const commands = async (proxy: Proxy) => {
    await using client = await openTunnel(proxy, "redis.test:6379");
    const answers: string[] = [];
    for (const command of ["AUTH hunter22", "PING", "SET a 1", "INCR a", "GET a"]) {
      const words = command.split(" ");
      await client.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`);
      const answer = await client.readUntil("\r\n");
      answers.push(answer.startsWith("$") ? await client.readUntil("\r\n") : answer);
    }
    client.end();
    await proxy.waitFor(tcp("redis.test:6379"));
    return answers;
  };
  const server = spawn("redis-server", [
    ...["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "hunter22"],
  ]);
  try {
    for await (const text of server.stdout) if (String(text).includes("Ready to accept connections")) break;
    await using proxy = await startProxy({
      tape: { path, mode: "record" },
      upstream: { hosts: { "redis.test": `127.0.0.1:${port}` } },
    });
    expect(await commands(proxy)).toEqual(["+OK\r\n", "+PONG\r\n", "+OK\r\n", ":2\r\n", "2\r\n"]);
  } finally {
    server.kill();
    await once(server, "exit");
  }
  await using proxy = await startProxy({ tape: { path, mode: "replay" } });
  expect(await commands(proxy)).toEqual(["+OK\r\n", "+PONG\r\n", "+OK\r\n", ":2\r\n", "2\r\n"]);
  expect(([...proxy.flows].find(({ type }) => type === "tcp") as TcpFlow).source).toBe("tape");
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
