/**
 * What a report knows of flows: without secrets, within its limits, whatever is in them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { fault, FlowSet, respond, startProxy } from "../../src/mod.ts";
import { collect } from "../../src/report/collect.ts";
import type { HttpFlowData, ReportData } from "../../src/report/data.ts";
import { eventsIn } from "../../src/report/page/events.ts";
import { renderReport } from "../../src/report/mod.ts";
import type { ReportInput } from "../../src/report/input.ts";
import { readTape } from "../../src/tape/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { tempFolder } from "../support/temp.ts";
import { flow, shop, socket } from "./flows.ts";

/** What the page reads, out of the page. */
function dataIn(html: string): ReportData {
  const [, json] = /<script type="application\/json" id="data">([^<]*)<\/script>/.exec(html)!;
  return JSON.parse(json!);
}

async function flowsOf(input: ReportInput): Promise<HttpFlowData[]> {
  return (await collect(input)).flows as HttpFlowData[];
}

/** Not a token of anybody: it has the shape of one. */
const TOKEN = `ghp_${"aB3dE6gH9jK2mN5pQ8sT1vW4xY7zC0fR".slice(0, 36).padEnd(36, "u")}`;
const RANDOM = "q8Zr4TnV1kXw7Lb2Ym9Jc5Hd3Gf6Ps0A";

test("secrets are taken out wherever they stand, and the same one has the same name", async () => {
  const made = flow({
    method: "POST",
    url: `https://user:hunter2@shop.test/login?api_key=${RANDOM}&page=2`,
    headers: {
      authorization: `Bearer ${RANDOM}`,
      cookie: "sid=4711-secret-session; theme=dark",
      "content-type": "application/json",
    },
    body: JSON.stringify({ password: "hunter2", note: `see ${TOKEN}`, qty: 3 }),
    response: { headers: { "set-cookie": "sid=4711-secret-session; Path=/" }, json: { access_token: RANDOM } },
  });
  made.comment = `with ${TOKEN}`;
  made.metadata.apiKey = RANDOM;
  made.error = { code: "X", message: `password=hunter2hunter2 at https://a:hunter2@b.test/` };
  const failure = Object.assign(new Error(`sent authorization: Bearer ${RANDOM}`), {
    expected: { token: RANDOM },
    actual: { token: TOKEN },
  });
  const html = await renderReport({
    flows: [
      made,
      socket("ws://live.test/", [{ from: "client", type: "text", data: `{"password":"hunter2"}`, time: 1 }]),
    ],
    failure,
    title: `of ${TOKEN}`,
  });
  for (const secret of ["hunter2", RANDOM, TOKEN, "4711-secret-session"]) {
    expect(html.split(secret).length, secret).toBe(1);
  }
  const [data] = dataIn(html).flows as HttpFlowData[];
  expect(data!.request.url).toMatch(/page=2/);
  expect(data!.request.body!.text).toMatch(/"qty":3/);
  const cookie = data!.request.headers.find(([name]) => name === "cookie")![1];
  const setCookie = data!.response!.headers.find(([name]) => name === "set-cookie")![1];
  expect(/sid=(\[redacted:[^\]]*\])/.exec(cookie)![1]).toBe(/sid=(\[redacted:[^\]]*\])/.exec(setCookie)![1]);
});

test("what looks like a secret, for which a tape would not be written, is left out alone", async () => {
  const answers: Parameters<typeof flow>[0][] = [
    { response: { json: { tenantKeyMaterial: RANDOM, name: "chair" } } },
    { response: { headers: { "x-tenant-keyish": RANDOM }, body: "chair" } },
    { url: `http://shop.test/chair?keyish=${RANDOM}` },
    {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: `keyish=${encodeURIComponent(`${RANDOM}+/==`)}&name=chair`,
    },
    { response: { headers: { "content-type": "text/plain" }, body: `chair; apiKeyish = "${RANDOM}"` } },
  ];
  for (const answer of answers) {
    const shown = JSON.stringify(await flowsOf({ flows: [flow(answer)] }));
    expect([shown.includes(RANDOM), shown.includes("chair"), shown.includes("looks-random")], shown).toEqual([
      false,
      true,
      true,
    ]);
  }
});

test("flows have the numbers that messages of failures have, also when older ones are left out", async () => {
  const flows = ["/a", "/b", "/c"].map((path) => flow({ url: `http://shop.test${path}` }));
  expect((await flowsOf({ flows })).map(({ place }) => place)).toEqual([0, 1, 2]);
  const left = await flowsOf({ flows, unmatched: [flows[0]!], limits: { flows: 2 } });
  expect(left.map(({ place }) => place)).toEqual([0, 2]);
});

test("a body from which what looks like a secret cannot be taken is not shown", async () => {
  // The characters that are looked for have zeros between them.
  const body = Buffer.from(RANDOM, "utf16le");
  const headers = { "content-type": "text/plain; charset=utf-16le" };
  const [data] = await flowsOf({ flows: [flow({ method: "POST", headers, body })] });
  expect(data!.request.body).toEqual({ of: body.length, note: expect.stringContaining("secret") });
});

test("the tape's options say what is secret, in proxy.report() too", async () => {
  await using folder = await tempFolder();
  await using proxy = await startProxy({
    rules: [["*", respond({ json: { ssn: "123-45", name: "Ada" } })]],
    tape: { path: folder.file("t.har"), mode: "record", redact: { json: ["ssn"] } },
  });
  await (await proxy.fetch("http://shop.test/")).text();
  await proxy.waitFor("*");
  const path = await proxy.report(folder.file("r.html"));
  const { readFile } = await import("node:fs/promises");
  const html = await readFile(path, "utf8");
  expect([html.includes("123-45"), html.includes("Ada")]).toEqual([false, true]);
});

test("nothing that is in a flow can end the element that the data stands in", async () => {
  const evil = "</script><!--<script>\u2028\u2029]]>&amp;";
  const html = await renderReport({
    flows: [flow({ response: { headers: { "content-type": "text/html" }, body: evil } })],
    title: evil,
  });
  expect(html.match(/<script/g)).toHaveLength(2);
  expect(html.match(/<\/script>/g)).toHaveLength(2);
  expect(/id="data">([^<]*)</.exec(html)![1]!.search(/[<>&\u2028\u2029]/)).toBe(-1);
  expect((dataIn(html).flows[0] as HttpFlowData).response!.body!.text).toBe(evil);
});

test("the policy lets the page's own script and style run, and pictures from the page itself: nothing else", async () => {
  const html = await renderReport({ flows: [] });
  const [, policy = ""] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)!;
  const { createHash } = await import("node:crypto");
  const hashOf = (pattern: RegExp) =>
    `'sha256-${createHash("sha256").update(pattern.exec(html)![1]!).digest("base64")}'`;
  expect(policy.split("; ")).toEqual([
    "default-src 'none'",
    `script-src ${hashOf(/<script>([^]*?)<\/script>/)}`,
    `style-src ${hashOf(/<style>([^]*?)<\/style>/)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ]);
});

test("long bodies are shortened, and say so; a secret at the cut is not cut through", async () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `{"i":${i},"password":"hunter2-${i}"}`).join(",");
  const [data] = await flowsOf({
    flows: [flow({ response: { headers: { "content-type": "application/json" }, body: `[${lines}]` } })],
    limits: { body: 10_000 },
  });
  const { text = "", of } = data!.response!.body!;
  expect(text.length).toBeLessThanOrEqual(10_000);
  expect(text.length).toBeGreaterThan(5000);
  expect(of).toBe(lines.length + 2);
  expect(text).not.toContain("hunter2");
});

test("a token at the cut is not shown in part", async () => {
  const body = Array.from(
    { length: 500 },
    () => `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9${"aB3dE6".repeat(50)}.${"aB3dE6gH9jK2".repeat(20)}`,
  ).join(" ");
  for (let most = 1000; most < 30_000; most += 1777) {
    const [data] = await flowsOf({
      flows: [flow({ response: { headers: { "content-type": "text/plain" }, body } })],
      limits: { body: most },
    });
    expect(data!.response!.body!.text ?? "").not.toMatch(/eyJ|aB3/);
    expect(data!.response!.body!.of).toBe(body.length);
  }
});

test("a character of several bytes is not cut through", async () => {
  const [data] = await flowsOf({
    flows: [flow({ response: { headers: { "content-type": "text/plain" }, body: "€".repeat(100_000) } })],
    limits: { body: 10_000 },
  });
  expect(data!.response!.body!.text).toMatch(/^€+$/);
});

test("bodies have a limit together: those of requests that went wrong come first, then the newest", async () => {
  const flows = Array.from(
    { length: 50 },
    (_, i) => flow({ url: `http://shop.test/${i}`, response: { body: "x".repeat(10_000) } }),
  );
  flows[3]!.error = { code: "UPSTREAM_CLOSED", message: "gone" };
  const report = await collect({ flows, unmatched: [flows[7]!], limits: { total: 45_000 } });
  const whole = (report.flows as HttpFlowData[]).flatMap(({ response }, i) =>
    response!.body!.text?.length === 10_000 ? [i] : []
  );
  expect(whole).toEqual([3, 7, 48, 49]);
  expect(report.left.bodies).toBe(46);
  expect((report.flows[0] as HttpFlowData).response!.body).toEqual({
    of: 10_000,
    note: expect.stringContaining("too large"),
  });
});

test("of too many flows the newest are kept, and those that nothing matched", async () => {
  const flows = new FlowSet(Array.from({ length: 30 }, (_, i) => flow({ url: `http://shop.test/${i}` })), { max: 25 });
  const report = await collect({ flows, unmatched: [flows.at(0) as never], limits: { flows: 3 } });
  expect((report.flows as HttpFlowData[]).map(({ request }) => request.url)).toEqual(
    ["5", "28", "29"].map((path) => `http://shop.test/${path}`),
  );
  expect(report.left).toEqual({ dropped: 5, flows: 22, bodies: 0 });
});

test("bodies with a content coding are shown without it; what cannot be decoded as it came", async () => {
  const { gzipSync } = await import("node:zlib");
  const gzip = gzipSync("plain text");
  const headers = { "content-type": "text/plain", "content-encoding": "gzip" };
  const [good, bad] = await flowsOf({
    flows: [flow({ response: { headers, body: gzip } }), flow({ response: { headers, body: "no gzip" } })],
  });
  expect(good!.response!.body).toEqual({ text: "plain text" });
  expect(good!.response!.size).toBe(gzip.length);
  expect(bad!.response).toMatchObject({ encoded: true, body: { text: "no gzip" } });
});

test("bytes are kept as they are", async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const [data] = await flowsOf({
    flows: [flow({ response: { headers: { "content-type": "application/x" }, body: bytes } })],
  });
  expect(Array.from(Buffer.from(data!.response!.body!.base64!, "base64"))).toEqual(Array.from(bytes));
});

test("a flow that is still under way, or failed, is in the report", async () => {
  await using proxy = await startProxy({
    rules: [["http://broken.test/", fault("reset")], ["*", async () => await new Promise(() => {})]],
  });
  await proxy.fetch("http://broken.test/").catch(() => {});
  const controller = new AbortController();
  const waiting = proxy.fetch("http://never.test/", { signal: controller.signal }).catch(() => {});
  while (proxy.flows.filter({ host: "never.test" }).length === 0) await new Promise((done) => setTimeout(done, 5));
  const flows = await flowsOf({ flows: proxy.flows });
  // Deno's fetch tries again when a connection is reset.
  expect(flows[0]).toMatchObject({ error: { code: "FAULT_RESET" }, source: "rule" });
  expect(flows.at(-1)).toMatchObject({ pending: true });
  controller.abort();
  await waiting;
});

test("a tape is shown as what it is: without times", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin(() => ({
    headers: [["Content-Type", "application/json"]],
    body: '{"ok":true}',
  }));
  const path = folder.file("t.har");
  {
    await using proxy = await startProxy({
      tape: { path, mode: "record" },
    });
    await (await proxy.fetch(`${origin.url}/orders`, { method: "POST", body: "qty=1" })).text();
  }
  const tape = await readTape(path);
  for (const flows of [tape, await tape.flows()]) {
    const [data] = await flowsOf({ flows });
    expect(data).toMatchObject({
      request: { method: "POST", url: `${origin.url}/orders`, body: { text: "qty=1" } },
      response: { status: 200, body: { text: '{"ok":true}' } },
      source: "tape",
      timings: { start: 0 },
    });
  }
});

test("whatever an addon has put into a flow, or a test has thrown, there is a report", async () => {
  const odd = flow();
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  Object.assign(odd.metadata, { circle, big: 1n, none: undefined, fn: () => 1, [Symbol.iterator]: 1 });
  odd.error = { code: 7 as never, message: null as never };
  odd.marked = 5 as never;
  odd.request.method = 5 as never;
  odd.response!.reason = undefined as never;
  odd.alerts.push({} as never);
  const hostile = new Proxy({}, {
    get: () => {
      throw new Error("no");
    },
    ownKeys: () => {
      throw new Error("no");
    },
  });
  for (
    const failure of [
      undefined,
      null,
      0,
      "text",
      Symbol("s"),
      () => 1,
      circle,
      hostile,
      new AggregateError([new Error("a")], "all"),
      { message: 5, name: {} },
    ]
  ) {
    const data = await collect({ flows: [odd], failure });
    expect(data.flows).toHaveLength(1);
    expect(() => JSON.stringify(data)).not.toThrow();
  }
});

test("connections that are shared are told once, certificates without the certificate itself", async () => {
  const flows = shop();
  const client = flows[0]!.client;
  client.tls = {
    version: "TLSv1.3",
    cipher: "X",
    establishedAt: 1,
    certificates: [{
      subject: "CN=a",
      issuer: "CN=b",
      names: ["a"],
      serialNumber: "1",
      validFrom: "x",
      validTo: "y",
      fingerprint: "AB",
      pem: "-----BEGIN CERTIFICATE-----",
    }],
  };
  const data = await collect({ flows: [flows[0]!, flows[0]!] });
  expect(data.peers).toHaveLength(1);
  expect(JSON.stringify(data)).not.toContain("BEGIN CERTIFICATE");
});

test("server-sent events have the times at which they came, without a tape too", async () => {
  const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using origin = await startOrigin(() => ({
    headers: [["Content-Type", "text/event-stream"]],
    body: (async function* () {
      for (const [i, { promise }] of steps.entries()) {
        yield `data: ${i}\n\n`;
        await promise;
      }
    })(),
  }));
  await using proxy = await startProxy();
  const response = await proxy.fetch(origin.url);
  const reader = response.body!.getReader();
  for (const { resolve } of steps) {
    await reader.read();
    resolve();
  }
  while (!(await reader.read()).done);
  await proxy.waitFor("*");
  const [data] = await flowsOf({ flows: proxy.flows });
  expect(eventsIn(data!.response!).map(({ body, time }) => [body.text, typeof time])).toEqual([["0", "number"], [
    "1",
    "number",
  ]]);
});
