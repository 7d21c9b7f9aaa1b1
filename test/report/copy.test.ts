/**
 * "Copy as": what is copied is executed, by a shell, by a runtime, by a proxy.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { drop, type Proxy, respond, startProxy } from "../../src/mod.ts";
import { collect } from "../../src/report/collect.ts";
import { toCurl } from "../../src/report/copy/curl.ts";
import { toFetch } from "../../src/report/copy/fetch.ts";
import { toRule } from "../../src/report/copy/rule.ts";
import { toTapeEntry } from "../../src/report/copy/tape_entry.ts";
import type { HttpFlowData } from "../../src/report/data.ts";
import { type OriginRequest, startOrigin } from "../support/origin.ts";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";

/** What a shell, JSON and JavaScript take for more than text. */
const HOSTILE =
  'it\'s "q" $(touch /tmp/pwned) `id` $HOME \\ \\n ! ; & | > < * ? [a] {b} ~ # \u2028 </script> <!-- é 漢 \u{1f600} ${x}';

async function httpFlows(proxy: Proxy): Promise<HttpFlowData[]> {
  const { flows } = await collect({ flows: proxy.flows, redact: false });
  return flows.filter((flow) => flow.type === "http");
}

async function flowOf(proxy: Proxy, url: string, init?: RequestInit): Promise<HttpFlowData> {
  await (await proxy.fetch(url, init)).arrayBuffer();
  await proxy.waitFor("*", { count: proxy.flows.length });
  return (await httpFlows(proxy)).at(-1)!;
}

/** What counts of a request: without what each client makes by itself. */
function essentials({ method, target, headers, body }: OriginRequest): object {
  const own =
    /^(?:connection|content-length|transfer-encoding|host|accept-encoding|accept|accept-language|user-agent|sec-fetch-mode)$/i;
  return {
    method,
    target,
    headers: headers.filter(([name]) => !own.test(name)).map(([name, value]) => `${name.toLowerCase()}: ${value}`)
      .sort(),
    body: Array.from(body),
  };
}

const REQUESTS: Record<string, [path: string, init: RequestInit]> = {
  "a GET with a query": ["/a/../b?q=%5Bx%5D&r=1&s=a+b&t={x}[1-3]", {}],
  "a POST with hostile text": ["/text", {
    method: "POST",
    body: HOSTILE,
    headers: { "content-type": "text/plain", "x-quote": 'it\'s "q" $(id) `x` \\' },
  }],
  "JSON": ["/json", {
    method: "PUT",
    body: JSON.stringify({ a: [1, "zwei", null], note: HOSTILE }),
    headers: { "content-type": "application/json" },
  }],
  "a body that looks like a file of curl": ["/at", {
    method: "POST",
    body: "@/etc/passwd",
    headers: { "content-type": "text/plain" },
  }],
  "bytes": ["/bytes", {
    method: "POST",
    body: Uint8Array.from({ length: 256 }, (_, i) => i),
    headers: { "content-type": "application/octet-stream" },
  }],
  "control characters": ["/control", {
    method: "POST",
    body: "a\u001b[31mred\u0007\r\n\0",
    headers: { "content-type": "text/plain" },
  }],
  "a body without a Content-Type": ["/untyped", { method: "PATCH", body: new Uint8Array([1, 2, 3]) }],
  "a POST without a body": ["/empty", { method: "POST" }],
  "DELETE": ["/gone", { method: "DELETE" }],
  "a field without a value": ["/field", { headers: { "x-empty": "", "x-at": "@file" } }],
};

for (const [name, [path, init]] of Object.entries(REQUESTS)) {
  test.runIf(hasCommand("curl"))(`as curl, a shell sends the same request: ${name}`, async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    const flow = await flowOf(proxy, origin.url + path, init);
    const command = toCurl(flow);
    const { stderr, code } = await run("sh", ["-c", command.replace(/(^|\| )curl /, "$1curl --silent --show-error ")]);
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    expect(essentials(origin.requests[1]!), command).toEqual(essentials(origin.requests[0]!));
  });

  test(`as fetch, the same request is sent: ${name}`, async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    const code = toFetch(await flowOf(proxy, origin.url + path, init));
    const send = new Function("fetch", `return (async () => { return ${code} })()`) as (
      fetch: typeof globalThis.fetch,
    ) => Promise<Response>;
    await (await send(proxy.fetch as typeof globalThis.fetch)).arrayBuffer();
    expect(essentials(origin.requests[1]!), code).toEqual(essentials(origin.requests[0]!));
  });
}

const RESPONSES: Record<string, Parameters<typeof respond>[0]> = {
  "JSON": { json: { id: 7, tags: ["a"], note: HOSTILE, __proto__x: 1 } },
  "JSON with numbers that JavaScript would change": {
    headers: { "content-type": "application/json" },
    body: '{"id":12345678901234567890}',
  },
  "a status and fields that come twice": {
    status: 503,
    headers: [["retry-after", "1"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]],
    body: "later",
  },
  "hostile text": { headers: { "content-type": "text/html" }, body: `<script>alert(1)</script>${HOSTILE}` },
  "bytes": { headers: { "content-type": "image/png" }, body: Uint8Array.from({ length: 300 }, (_, i) => i % 256) },
  "nothing": { status: 204 },
};

for (const [name, answer] of Object.entries(RESPONSES)) {
  test(`as a rule, a request is answered as it was: ${name}`, async () => {
    const url = "http://shop.test/orders/:id?tag=*&q=a.b(c)";
    await using first = await startProxy({ rules: [["*", respond(answer)]] });
    const flow = await flowOf(first, url);
    const code = toRule(flow);
    const rule = new Function("respond", `return ${code}`)(respond);
    await using second = await startProxy({ rules: [rule], defaultAction: "drop" });
    const again = await flowOf(second, url);
    expect(again.response?.status, code).toBe(flow.response!.status);
    expect(again.response!.body ?? {}).toEqual(flow.response!.body ?? {});
    const fields = ({ response }: HttpFlowData) =>
      response!.headers.filter(([name]) => !/^(?:date|content-length)$/i.test(name)).map(([name, value]) =>
        `${name.toLowerCase()}: ${value}`
      );
    expect(fields(again)).toEqual(fields(flow));
  });
}

test("as a rule, what is copied from one request does not answer another", async () => {
  await using first = await startProxy({ rules: [["*", respond({ body: "one" })]] });
  const rule = new Function("respond", `return ${toRule(await flowOf(first, "http://shop.test/orders/*?page=1"))}`)(
    respond,
  );
  await using second = await startProxy({ rules: [rule, ["*", respond({ status: 404 })]] });
  expect((await flowOf(second, "http://shop.test/orders/7?page=1")).response?.status).toBe(404);
  expect((await flowOf(second, "http://shop.test/orders/*?page=1")).response?.status).toBe(200);
});

test("as a rule, a flow that failed is dropped", async () => {
  await using first = await startProxy({ rules: [["*", drop]] });
  await first.fetch("http://shop.test/").catch(() => {});
  await first.waitFor("*");
  expect(toRule((await httpFlows(first))[0]!)).toBe('["GET http://shop.test/", "drop"]');
});

test("as an entry of a tape, it is replayed as it was, whatever its bodies are", async () => {
  await using folder = await tempFolder();
  const path = folder.file("copied.har");
  const large = "long ".repeat(2000);
  const answers = {
    "/json": { json: { a: 1 } },
    "/large": { body: large },
    "/bytes": { headers: { "content-type": "image/png" }, body: new Uint8Array(5000).fill(200) },
  };
  const rules = Object.entries(answers).map(([path, answer]) => [`http://shop.test${path}`, respond(answer)] as const);
  await using first = await startProxy({ rules });
  for (const path of Object.keys(answers)) {
    await flowOf(first, `http://shop.test${path}`, { method: "POST", body: path === "/large" ? large : "x" });
  }
  const entries = await Promise.all((await httpFlows(first)).map(toTapeEntry));
  await writeFile(
    path,
    `{"log":{"version":"1.2","creator":{"name":"flowtape","version":"1"},"entries":[${entries.join(",")}]}}`,
  );
  await using second = await startProxy({ tape: { path, mode: "replay" } });
  for (const path of Object.keys(answers)) {
    await flowOf(second, `http://shop.test${path}`, { method: "POST", body: path === "/large" ? large : "x" });
  }
  const bodies = async (proxy: Proxy) =>
    (await httpFlows(proxy)).map(({ response }) => [response!.status, response!.body]);
  expect(await bodies(second)).toEqual(await bodies(first));
  expect(second.unmatched.length).toBe(0);
});
