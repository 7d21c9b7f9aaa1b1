// Mode "verify": the tape answers, and servers are asked what they answer by now.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LogEntry, Proxy, TapeOptions } from "../../../src/mod.ts";
import { openTape } from "../../../src/tape/addon.ts";
import { type Origin, type OriginResponse, startOrigin } from "../../support/origin.ts";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import { ask, entriesOf, startProxy } from "../proxies.ts";
import { flowOf, pass, record as recordFlow } from "../tapes.ts";

let folder: TempFolder;
let path: string;
let origin: Origin;
let answer: OriginResponse | (() => OriginResponse | Promise<OriginResponse>);

const json = (value: unknown, more: [string, string][] = [], status = 200): OriginResponse => ({
  status,
  headers: [["Content-Type", "application/json"], ["Date", new Date().toUTCString()], ...more],
  body: JSON.stringify(value),
});

beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("a.har");
  answer = json({ id: 1, name: "Ada" });
  origin = await startOrigin(() => typeof answer === "function" ? answer() : answer);
});

afterEach(async () => {
  await origin[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function record(...targets: string[]): Promise<void> {
  await using proxy = await startProxy({ tape: { path, mode: "record" } });
  for (const target of targets) await ask(proxy, origin.url + target);
}

async function verifying(options: TapeOptions["verify"] = {}, log: LogEntry[] = []): Promise<Proxy> {
  return await startProxy({
    tape: { path, mode: "verify", verify: options },
    addons: [{ log: (entry) => void log.push(entry) }],
  });
}

/** What differs: the fields of every drift. */
function fields({ drift }: Proxy): string[] {
  return drift.flatMap(({ differences }) =>
    differences.map(({ field, expected, actual }) => `${field}: ${expected} -> ${actual}`)
  );
}

test("what the servers answer as recorded is no drift, whatever the values are", async () => {
  await record("/user");
  answer = json({ id: 2, name: "Grace" }, [["ETag", '"x"'], ["X-Request-Id", "7"]]);
  const log: LogEntry[] = [];
  const proxy = await verifying({}, log);
  expect(await ask(proxy, `${origin.url}/user`)).toBe('200 {"id":1,"name":"Ada"}');
  await proxy.close();
  expect(proxy.drift).toEqual([]);
  expect(origin.requests).toHaveLength(2);
  expect(log.map(({ message }) => message)).toContain(`${path}: 1 answers were verified, and are as recorded`);
  // The tape is as it was, and the flows are those of the client.
  expect(await entriesOf(path)).toEqual(['GET /user {"id":1,"name":"Ada"}']);
  expect(proxy.flows).toHaveLength(1);
});

test("drift of status, headers and shape: the test gets the tape, and close() rejects", async () => {
  await record("/user");
  answer = json({ id: "1", email: "ada@a.test" }, [["Deprecation", "true"], ["Content-Language", "en"]], 203);
  const log: LogEntry[] = [];
  const proxy = await verifying({}, log);
  expect(await ask(proxy, `${origin.url}/user?token=abc`)).toMatch(/^502 /);
  expect(await ask(proxy, `${origin.url}/user`)).toBe('200 {"id":1,"name":"Ada"}');
  const closing = proxy.close();
  await expect(closing).rejects.toThrow("matched nothing");
  await expect(closing).rejects.toThrow("1 of 1 answers are not any more what is on the tape");
  expect(fields(proxy)).toEqual([
    "status: 200 -> 203",
    'headers.content-language: absent -> "en"',
    'headers.deprecation: absent -> "true"',
    "json.id: number -> string",
    "json.name: string -> undefined",
    "json.email: absent -> string",
  ]);
  const [drift] = proxy.drift;
  expect(drift!.flow).toBe(proxy.flows.at(1));
  expect(drift!.entry.index).toBe(0);
  expect(String(drift)).toContain("- json.id: number\n  + json.id: string");
  expect(log.some(({ level, message }) => level === "warn" && message.startsWith("drift: GET "))).toBe(true);
});

test("drift alone is a TapeError with a code, that says what to do", async () => {
  await record("/user");
  answer = json([]);
  const proxy = await verifying();
  await ask(proxy, `${origin.url}/user`);
  const closing = proxy.close();
  await expect(closing).rejects.toMatchObject({ name: "TapeError", code: "TAPE_DRIFT" });
  await expect(closing).rejects.toThrow("FLOWTAPE_MODE=record");
});

test('then: "warn" leaves it at the log; what is ignored is no drift', async () => {
  await record("/user");
  answer = json({ id: "1", name: "Ada" }, [["X-New", "1"]]);
  const warned = await verifying({ then: "warn" });
  await ask(warned, `${origin.url}/user`);
  await warned.close();
  expect(fields(warned)).toHaveLength(2);
  const ignored = await verifying({ ignore: ["X-New", "$.id"] });
  await ask(ignored, `${origin.url}/user`);
  await ignored.close();
  expect(ignored.drift).toEqual([]);
});

test("only GET and HEAD are asked twice, unless other methods are named; the body goes along", async () => {
  const post = { method: "POST", body: '{"a":1}', headers: { "content-type": "application/json" } };
  {
    await using proxy = await startProxy({ tape: { path, mode: "record" } });
    await ask(proxy, `${origin.url}/a`, post);
    await ask(proxy, `${origin.url}/a`, { method: "HEAD" });
  }
  await using proxy = await verifying();
  await ask(proxy, `${origin.url}/a`, post);
  await ask(proxy, `${origin.url}/a`, { method: "HEAD" });
  await proxy.close();
  expect(origin.requests.map(({ method }) => method)).toEqual(["POST", "HEAD", "HEAD"]);
  await using both = await verifying({ methods: ["POST"] });
  await ask(both, `${origin.url}/a`, post);
  await ask(both, `${origin.url}/a`, { method: "HEAD" });
  await both.close();
  expect(origin.requests.map(({ method }) => method)).toEqual(["POST", "HEAD", "HEAD", "POST"]);
  expect(origin.requests.at(-1)!.text()).toBe('{"a":1}');
});

test("the server gets what an addon has made of the request, credentials too", async () => {
  await record("/user");
  const proxy = await startProxy({
    tape: { path, mode: "verify" },
    addons: [{ requestHeaders: (flow) => flow.request.headers.set("authorization", "Bearer abcdefghij") }],
  });
  await ask(proxy, `${origin.url}/user`);
  await proxy.close();
  expect(origin.requests.at(-1)!.header("authorization")).toBe("Bearer abcdefghij");
});

test("a server that is gone, and one that is back", async () => {
  await record("/a");
  const { url } = origin;
  await origin[Symbol.asyncDispose]();
  const proxy = await verifying();
  expect(await ask(proxy, `${url}/a`)).toMatch(/^200 /);
  await expect(proxy.close()).rejects.toMatchObject({ code: "TAPE_DRIFT" });
  expect(fields(proxy)).toEqual(["error: an answer (200) -> UPSTREAM_REFUSED"]);
  origin = await startOrigin(() => json({}));
});

test("a server that never answers is given up", async () => {
  await record("/a");
  const never = Promise.withResolvers<OriginResponse>();
  answer = () => never.promise;
  const proxy = await verifying({ timeout: 50 });
  expect(await ask(proxy, `${origin.url}/a`)).toMatch(/^200 /);
  await expect(proxy.close()).rejects.toMatchObject({ code: "TAPE_DRIFT" });
  expect(proxy.drift).toHaveLength(1);
  never.resolve({});
});

test("many at once: all are verified before close() settles", async () => {
  const targets = Array.from({ length: 30 }, (_, i) => `/${i}`);
  await record(...targets);
  const proxy = await verifying();
  await Promise.all(targets.map((target) => ask(proxy, origin.url + target)));
  await proxy.close();
  expect(proxy.drift).toEqual([]);
  expect(origin.requests).toHaveLength(60);
});

test("a test that has failed is not told of drift as well", async () => {
  await record("/user");
  answer = json([]);
  const proxy = await verifying();
  await ask(proxy, `${origin.url}/user`);
  await proxy.close({ failed: true });
  expect(proxy.drift).toHaveLength(1);
});

test("what a tape lacks is refused, as in mode replay", async () => {
  await record("/user");
  const proxy = await verifying();
  expect(await ask(proxy, `${origin.url}/other`)).toMatch(/^502 /);
  await expect(proxy.close()).rejects.toMatchObject({ code: "UNMATCHED_REQUEST" });
  expect(origin.requests).toHaveLength(1);
});

test("what has a body is asked with the whole of it, though the tape would not have to wait for it", async () => {
  const bodies: string[] = [];
  await recordFlow(path, [{ method: "POST", body: "recorded", response: { body: "same" } }]);
  const tape = await openTape({ path, mode: "verify", match: { body: false }, verify: { methods: ["POST"] } }, {
    log: () => {},
    unmatched: () => {},
    env: {},
    ask(flow) {
      bodies.push(flow.request.text());
      return Promise.resolve(flowOf({ response: { body: "same" } }));
    },
  });
  const flow = await pass(tape, { method: "POST", body: "live" });
  expect(flow.response!.text()).toBe("same");
  await tape.settle();
  expect(bodies).toEqual(["live"]);
  await tape.close();
});
