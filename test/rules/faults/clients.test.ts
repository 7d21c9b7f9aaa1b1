/**
 * What real clients make of faults: over HTTP, and inside of TLS.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ActionFunction,
  delay,
  fault,
  type HttpFlow,
  type Proxy,
  respond,
  startProxy,
  throttle,
} from "../../../src/mod.ts";
import { run } from "../../support/run.ts";
import { hasCommand, type Runtime, runtimePath, RUNTIMES } from "../../support/runtime.ts";

const BODY = "x".repeat(1000);
const answer = respond({ body: BODY });

/** What each path does. */
const RULES: Record<string, ActionFunction> = {
  "/reset": fault("reset"),
  "/reset-late": fault("reset", { after: 100, then: answer }),
  "/empty": fault("empty"),
  "/malformed": fault("malformed-chunk"),
  "/random": fault("random-data", { seed: 1 }),
  "/truncate": fault("truncate", { then: answer }),
  "/limit": fault("limit", { bytes: 10, then: answer }),
  "/timeout": fault("timeout", { ms: 50 }),
  "/dribble": fault("dribble", { chunks: 4, ms: 40, then: answer }),
  "/latency": fault("latency", { ms: { ms: 20, jitter: 10 }, then: answer }),
  "/slice": fault("slice", { size: 200, variation: 50, ms: 2, then: answer }),
  "/slow-head": fault("slow-head", { ms: 40, then: answer }),
  "/slow-close": fault("slow-close", { ms: 40, then: answer }),
  "/throttle": throttle({ bytesPerSecond: 20_000, then: answer }),
  "/delay": delay({ median: 5, sigma: 0.5 }, answer),
};
const SLOW = ["/dribble", "/latency", "/slice", "/slow-head", "/slow-close", "/throttle", "/delay"];
const BROKEN = Object.keys(RULES).filter((path) => !SLOW.includes(path));

let proxy: Proxy;
beforeAll(async () => {
  proxy = await startProxy({
    rules: Object.entries(RULES).map(([path, action]) => [{ host: "fault.test", path }, action] as const),
  });
});
afterAll(() => proxy.close());

async function lastFlow(path: string): Promise<HttpFlow> {
  const flows = await proxy.waitFor({ path });
  return flows.last() as HttpFlow;
}

describe.each(["http", "https"])("%s: curl", (scheme) => {
  const withCurl = test.runIf(hasCommand("curl"));
  const curl = (path: string, ...args: string[]) =>
    run("curl", ["--silent", "--show-error", "--http1.1", ...args, `${scheme}://fault.test${path}`], {
      env: proxy.env(),
    });

  withCurl.each([
    ["/reset", [56, 35]], // the connection is reset; curl may be about to say that it has no TLS
    ["/reset-late", [56]],
    ["/empty", [52]],
    ["/malformed", [56]],
    ["/random", [1]], // takes it for HTTP/0.9, which it does not accept
    ["/truncate", [18]],
    ["/limit", [18]],
    ["/timeout", [52]],
  ] as [string, number[]][])("%s: exit code %j", async (path, codes) => {
    const { code, stderr } = await curl(path);
    expect(codes, stderr).toContain(code);
    expect((await lastFlow(path)).error?.code).toMatch(/^FAULT_/);
  });

  withCurl.each(SLOW)("%s: whole", async (path) => {
    expect(await curl(path)).toEqual({ code: 0, stdout: BODY, stderr: "" });
    const flow = await lastFlow(path);
    expect([flow.error, flow.faults.length]).toEqual([undefined, path === "/delay" ? 0 : 1]);
  });

  withCurl("gives up: the timers of a slow response end", async () => {
    await using slow = await startProxy({ defaultAction: fault("slow-head", { ms: 10_000, then: answer }) });
    const { code } = await run("curl", ["--silent", "--max-time", "0.3", `${scheme}://fault.test/`], {
      env: slow.env(),
    });
    expect(code).toBe(28);
    const [flow] = await slow.waitFor({ path: "/" });
    expect((flow as HttpFlow).error?.code).toBe("CLIENT_ABORTED");
  });
});

const PYTHON = `
import sys, urllib.request, http.client, json
seen = {}
for path in json.loads(sys.argv[2]):
    try:
        with urllib.request.urlopen(sys.argv[1] + path, timeout=5) as response:
            seen[path] = len(response.read())
    except Exception as error:
        reason = getattr(error, "reason", None)
        seen[path] = type(reason if isinstance(reason, Exception) else error).__name__
print(json.dumps(seen))
`;

test.runIf(hasCommand("python3")).each(["http", "https"])("%s: urllib of Python", async (scheme) => {
  const paths = JSON.stringify(Object.keys(RULES));
  const { stdout, stderr } = await run("python3", ["-c", PYTHON, `${scheme}://fault.test`, paths], {
    env: proxy.env(),
  });
  if (stdout === "") throw new Error(stderr);
  expect(JSON.parse(stdout)).toEqual({
    // Its ssl takes a reset (read() is -1 ECONNRESET) for an end.
    "/reset": scheme === "http" ? "ConnectionResetError" : "RemoteDisconnected",
    "/reset-late": scheme === "http" ? "ConnectionResetError" : "IncompleteRead",
    "/empty": "RemoteDisconnected",
    "/malformed": "IncompleteRead",
    "/random": "BadStatusLine",
    "/truncate": "IncompleteRead",
    "/limit": "IncompleteRead",
    "/timeout": "RemoteDisconnected",
    ...Object.fromEntries(SLOW.map((path) => [path, 1000])),
  });
});

const FETCH = `
const seen = {};
const [base, paths] = process.argv.slice(-2);
for (const path of JSON.parse(paths)) {
  try {
    const response = await fetch(base + path);
    seen[path] = (await response.text()).length;
  } catch {
    seen[path] = "failed";
  }
}
console.log(JSON.stringify(seen));
`;

describe.each(RUNTIMES)("fetch of %s", (name: Runtime) => {
  test.each(["http", "https"])("%s: what breaks rejects, what is slow arrives whole", async (scheme) => {
    // Bun's fetch asks again, again and again, when a connection is closed before it has an answer.
    const paths = Object.keys(RULES);
    const args = [`${scheme}://fault.test`, JSON.stringify(paths)];
    const { stdout, stderr } = await run(
      runtimePath(name),
      {
        node: ["--input-type=module", "--eval", FETCH, "--", ...args],
        deno: ["eval", "--no-config", `import process from "node:process";${FETCH}`, ...args],
        bun: ["--eval", FETCH, ...args],
      }[name],
      { env: proxy.env(), timeoutMs: 28_000 },
    );
    if (stdout === "") throw new Error(stderr);
    expect(JSON.parse(stdout)).toEqual({
      ...Object.fromEntries(BROKEN.map((path) => [path, "failed"])),
      ...Object.fromEntries(SLOW.map((path) => [path, 1000])),
    });
  });
});

const NODE_HTTP = `
import http from "node:http";
const [proxy, paths] = process.argv.slice(-2);
const seen = {};
for (const path of JSON.parse(paths)) {
  seen[path] = await new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port: proxy, path: "http://fault.test" + path, agent: false }, (response) => {
      let length = 0;
      response.on("data", (bytes) => length += bytes.length);
      response.on("error", (error) => resolve(error.code));
      response.on("end", () => resolve(length));
    });
    request.on("error", (error) => resolve(error.code));
  });
}
console.log(JSON.stringify(seen));
`;

test("node:http", async () => {
  const args = [String(proxy.port), JSON.stringify(Object.keys(RULES))];
  const { stdout, stderr } = await run(runtimePath("node"), [
    "--input-type=module",
    "--eval",
    NODE_HTTP,
    "--",
    ...args,
  ]);
  if (stdout === "") throw new Error(stderr);
  expect(JSON.parse(stdout)).toEqual({
    "/reset": "ECONNRESET",
    "/reset-late": "ECONNRESET",
    "/empty": "ECONNRESET",
    "/malformed": expect.stringMatching(/^HPE_/),
    "/random": expect.stringMatching(/^HPE_/),
    "/truncate": "ECONNRESET",
    "/limit": "ECONNRESET",
    "/timeout": "ECONNRESET",
    ...Object.fromEntries(SLOW.map((path) => [path, 1000])),
  });
});
