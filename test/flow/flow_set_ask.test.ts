// What can be asked of many flows together: values, groups, tables, differences.
import { describe, expect, test } from "vitest";
import { gzipSync } from "node:zlib";
import {
  type Flow,
  FlowResponse,
  FlowSet,
  type HttpFlow,
  WebSocketConversation,
  WebSocketMessage,
} from "../../src/mod.ts";
import { arriving, httpFlow, tcpFlow } from "./flows.ts";

const answered = (url: string, response: Parameters<typeof FlowResponse.create>[0], took = 1): HttpFlow => {
  const flow = httpFlow({ url, took });
  flow.response = FlowResponse.create(response);
  return flow;
};

function webSocket(): HttpFlow {
  const flow = httpFlow("wss://chat.test/room");
  flow.response = new FlowResponse(101, "Switching Protocols", "1.1", flow.request.headers, flow.request.content);
  flow.websocket = new WebSocketConversation();
  flow.websocket.messages.push(
    new WebSocketMessage({ from: "client", type: "text", data: "hi", time: 1 }),
    new WebSocketMessage({ from: "server", type: "text", data: "hello", time: 2 }),
  );
  flow.websocket.closeCode = 1000;
  return flow;
}

/** One of every kind. */
const every = (): Flow[] => [
  answered("http://a.test/ok", { json: { a: 1 } }),
  httpFlow({ url: "http://a.test/down", error: "UPSTREAM_REFUSED" }),
  arriving("http://a.test/slow"),
  tcpFlow(),
  webSocket(),
];

describe("extract", () => {
  const post = httpFlow({
    method: "POST",
    url: "http://shop.test:8080/orders?page=2&page=3&method=q&both=query",
    headers: [
      ["X-Id", "7"],
      ["both", "header"],
      ["cookie", "sid=abc; both=cookie"],
      ["content-type", "application/json"],
    ],
    body: JSON.stringify({ qty: 2, lines: [{ sku: "x" }], "a.b": 1, both: "json", meta: { "a b": [true] } }),
  });
  post.response = FlowResponse.create({
    status: 201,
    headers: { "set-cookie": "new=1", location: "/orders/9", "x-id": "8" },
    json: { id: 9 },
  });
  const value = (arg: string, from?: "request" | "response") => new FlowSet([post]).extract(arg, from)[0];

  test.each<[string, unknown]>([
    ["method", "POST"],
    ["url", "http://shop.test:8080/orders?page=2&page=3&method=q&both=query"],
    ["hostname", "shop.test"],
    ["port", 8080],
    ["path", "/orders"],
    ["x-id", "7"],
    ["page", "2"],
    ["qty", 2],
    ["lines[0].sku", "x"],
    ["a.b", 1],
    ['meta["a b"][0]', true],
    ["sid", "abc"],
    ["status", 201],
    ["reason", "Created"],
    ["location", "/orders/9"],
    ["id", 9],
    ["new", "1"],
    ["length", 8],
    ["time", 1],
    ["nothing", undefined],
    ["lines[9].sku", undefined],
    ["lines[0", undefined],
    ["toString", undefined],
    ["__proto__", undefined],
  ])("%s is %j", (arg, expected) => expect(value(arg)).toEqual(expected));

  test("a name is looked for in this order: attribute, header, query, body, cookie; then in the response", () => {
    expect(value("method")).toBe("POST");
    expect(value("query.method")).toBe("q");
    expect(value("both")).toBe("header");
    expect(value("query.both")).toBe("query");
    expect(value("json.both")).toBe("json");
    expect(value("cookies.both")).toBe("cookie");
    post.request.headers.delete("both");
    expect(value("both")).toBe("query");
    expect(value("x-id")).toBe("7");
    expect(value("x-id", "response")).toBe("8");
    expect(value("qty", "response")).toBe(undefined);
    expect(value("status", "request")).toBe(undefined);
    expect(value("headers.X-ID")).toBe("7");
    expect(value("flow.source")).toBe("upstream");
  });

  test("finds the fields of forms, multipart ones too", () => {
    const form = httpFlow({
      method: "POST",
      url: "http://a.test/",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "name=Ada+L&x=1",
    });
    const multipart = httpFlow({
      method: "POST",
      url: "http://a.test/",
      headers: { "content-type": "multipart/form-data; boundary=b" },
      body: '--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nBob\r\n' +
        '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nxyz\r\n--b--',
    });
    const flows = new FlowSet([form, multipart]);
    expect(flows.extract("name")).toEqual(["Ada L", "Bob"]);
    expect(flows.extract("form.file")).toEqual([undefined, "a.txt"]);
  });

  test("gives a value for each flow of every kind", () => {
    const flows = new FlowSet(every());
    expect(flows.extract("status")).toEqual([200, undefined, undefined, undefined, 101]);
    expect(flows.extract("hostname")).toEqual(["a.test", "a.test", "a.test", "db.test", "chat.test"]);
    expect(flows.extract("body")[2]).toBe(undefined);
    expect(flows.extract("flow.error")).toEqual([undefined, "UPSTREAM_REFUSED", undefined, undefined, undefined]);
    expect(flows.extract("length")).toEqual([7, undefined, undefined, 0, 5]);
  });

  test("refuses what is no name, and other messages", () => {
    expect(() => new FlowSet().extract("")).toThrow('extract() takes a name such as "status"');
    expect(() => new FlowSet().extract(1 as unknown as string)).toThrow("not 1");
    expect(() => new FlowSet().extract("a", "both" as "request")).toThrow(
      'in "request" or in "response", not in "both"',
    );
  });
});

describe("groups", () => {
  test("hold every flow once, smallest key first", () => {
    const flows = new FlowSet([...every(), answered("http://a.test/ok", { status: 404, body: "nothing" })]);
    expect(shape(flows.byStatus())).toEqual([[0, 3], [101, 1], [200, 1], [404, 1]]);
    expect(shape(flows.byPath())).toEqual([["", 1], ["/down", 1], ["/ok", 2], ["/room", 1], ["/slow", 1]]);
    expect(shape(flows.byLength())).toEqual([[-1, 2], [0, 1], [5, 1], [7, 2]]);
    expect(new FlowSet().byStatus().size).toBe(0);
  });

  test("withoutPayloads leaves out what was tried with one", () => {
    const flow = httpFlow("http://a.test/?q=x");
    const tries = ["'", "<b>"].map((payload) => flow.edit((request) => request.query.set("q", payload), { payload }));
    const flows = new FlowSet([flow, ...tries, tcpFlow()]);
    expect(flows.withoutPayloads().length).toBe(2);
    expect(flows.summary()).toMatch(/payload\n0 .*\n1 .*'\n2 .*<b>\n3 TCP|payload/);
    expect(flows.compare()).toMatch(/# .*payload +query\.q/);
  });

  const shape = (groups: Map<string | number, FlowSet>) => [...groups].map(([key, flows]) => [key, flows.length]);
});

describe("summary", () => {
  test("marks sizes and times that are far from the others", () => {
    const flows = new FlowSet();
    for (let i = 0; i < 8; i++) flows.append(answered(`http://a.test/${i}`, { body: "x".repeat(100 + i % 2) }, 10 + i));
    expect(flows.summary()).not.toContain("*");
    flows.append(answered("http://a.test/odd", { body: "x".repeat(900) }, 12));
    flows.append(answered("http://a.test/late", { body: "x".repeat(100) }, 700));
    flows.append(httpFlow({ url: "http://a.test/down", error: "UPSTREAM_REFUSED" }));
    const lines = flows.summary().split("\n");
    expect(lines.filter((line) => line.includes(" *")).map((line) => /\/(\w+) /.exec(line)?.[1])).toEqual([
      "odd",
      "late",
    ]);
    expect(lines.at(-2)).toMatch(/^\* far from the others: size usually 9\d B to 10\d B, ms usually 0 to \d\d$/);
    expect(new Set(lines.slice(1, -2).map((line) => line.indexOf("upstream"))).size).toBe(1);
  });

  test("of fewer than six flows nothing is unusual", () => {
    const flows = new FlowSet([1, 1, 1, 1, 9000].map((took) => answered("http://a.test/", { body: "ok" }, took)));
    expect(flows.summary()).not.toContain("*");
  });
});

describe("compare", () => {
  test("says what is the same, and shows the rest as a table without credentials", () => {
    const order = (qty: number, token: string) =>
      httpFlow({
        method: "POST",
        url: `http://shop.test/orders?page=1&token=${token}`,
        json: { qty, password: token },
        status: 200,
      });
    const flows = new FlowSet([order(1, "s3cret-a"), order(2, "s3cret-b"), order(1, "s3cret-a")]);
    expect(`\n${flows.compare()}`).toBe(`
the same in all 3: method POST, scheme http, host shop.test, port 80, path /orders, query.page 1, headers.content-type application/json, headers.host shop.test
#  query.token    json.qty  json.password
0  [redacted] #1  1         [redacted] #1
1  [redacted] #2  2         [redacted] #2
2  [redacted] #1  1         [redacted] #1`);
    expect(flows.compareResponses()).toContain("nothing differs");
  });

  test("compares responses, decoded, failed ones too", () => {
    const plain = answered("http://a.test/", { json: { a: 1, b: 2 } });
    const packed = answered("http://a.test/", {
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
      body: gzipSync('{"b":2,"a":1}'),
    });
    const failed = httpFlow({ url: "http://a.test/", error: "UPSTREAM_REFUSED" });
    const text = new FlowSet([plain, packed, failed]).compareResponses();
    const rows = text.split("\n");
    expect(rows[1]).toMatch(
      /^# +error +status +length +reason +json\.a +json\.b +headers\.content-type +headers\.content-encoding$/,
    );
    expect(rows[2]).toMatch(/^0 +- +200 +13 +OK +1 +2 +application\/json +-$/);
    expect(rows[3]).toMatch(/^1 +- +200 +\d+ +OK +1 +2 +application\/json +gzip$/);
    expect(rows[4]).toMatch(/^2 +UPSTREAM_REFUSED( +-)+$/);
  });

  test("works for every kind of flow, and for none", () => {
    expect(new FlowSet().compare()).toBe("no flows");
    expect(new FlowSet(every()).compare()).toMatch(/\n3 +TCP +/);
    expect(new FlowSet(every()).compareResponses()).toMatch(/\n4 .*2.*1000/);
    expect(new FlowSet([httpFlow("http://a.test/")]).compare()).toContain("nothing differs");
  });

  test("is bounded", () => {
    const wide = (n: number) =>
      httpFlow({ url: "http://a.test/", json: Array.from({ length: 20_000 }, (_, i) => i * n) });
    const flows = new FlowSet(
      Array.from({ length: 300 }, (_, n) => httpFlow(`http://a.test/${n}?${"x".repeat(500)}=${n}`)),
    );
    flows.append(wide(1));
    expect(flows.compare().length).toBeLessThan(60_000);
    expect(flows.compare()).toContain("101 more flows were not compared");
    const text = new FlowSet([wide(1), wide(2)]).compare();
    expect(text.length).toBeLessThan(5_000);
    expect(text).toContain("also different: json[9]");
  });
});

describe("diff", () => {
  const diff = (a: Flow, b: Flow) => new FlowSet([a, b]).diff(0, 1);

  test("shows heads and bodies line by line, JSON by its keys", () => {
    const a = httpFlow({ method: "POST", url: "http://a.test/x", body: '{"b":[1,2],"a":1}', status: 200 });
    const b = httpFlow({ method: "POST", url: "http://a.test/x", body: '{"a":1,"b":[1,3]}', status: 404 });
    expect(`\n${diff(a, b)}`).toBe(`
--- 0 POST http://a.test/x (200, upstream)
+++ 1 POST http://a.test/x (404, upstream)
  … 4 lines that are the same
    "a": 1,
    "b": [
      1,
-     2
+     3
    ]
  }

- 200 OK
+ 404 Not Found

  ok`);
  });

  test("order of keys, content coding and times make no difference; what is secret is not shown", () => {
    const plain = answered("http://a.test/", { json: { a: 1, b: 2 } }, 3);
    const other = answered("http://a.test/", {
      headers: { "content-type": "application/json" },
      body: '{"b":2, "a":1}',
    }, 9);
    expect(diff(plain, other)).toContain("no difference");
    const secret = (token: string) =>
      httpFlow({
        url: "http://a.test/",
        headers: { authorization: `Bearer ${token}` },
        json: { token, user: { password: token } },
      });
    const text = diff(secret("aaaaaaaa1"), secret("bbbbbbbb2"));
    expect(text).toContain("+ authorization: [redacted] (another one)");
    expect(text).toContain('+     "password": "[redacted]" (another one)');
    expect(text).not.toMatch(/aaaaaaaa1|bbbbbbbb2/);
  });

  test("long lines are cut to where they differ, long runs that are the same are left out", () => {
    const text = (middle: string) => "a".repeat(5000) + middle + "b".repeat(5000);
    const lines = (middle: string) => [...Array.from({ length: 50 }, (_, i) => `line ${i}`), text(middle)].join("\n");
    const shown = diff(
      answered("http://a.test/", { body: lines("one") }),
      answered("http://a.test/", { body: lines("two") }),
    );
    expect(shown).toContain("lines that are the same");
    expect(shown).toMatch(/- …a+oneb+…\n\+ …a+twob+…/);
    expect(shown.length).toBeLessThan(3000);
  });

  test("forms are compared field by field, binary bodies as a whole", () => {
    const form = (body: string) =>
      httpFlow({ url: "http://a.test/", headers: { "content-type": "application/x-www-form-urlencoded" }, body });
    expect(diff(form("a=1&b=2&pwd=x"), form("a=1&b=3&pwd=y"))).toContain(
      '- b = "2"\n- pwd = [redacted]\n+ b = "3"\n+ pwd = [redacted] (another one)',
    );
    const image = (byte: number) =>
      answered("http://a.test/", { headers: { "content-type": "image/png" }, body: Uint8Array.of(0, byte) });
    expect(diff(image(1), image(2))).toMatch(/- \(2 bytes, SHA-256 [0-9a-f]{16}\)\n\+ \(2 bytes, SHA-256/);
    const broken = answered("http://a.test/", { headers: { "content-encoding": "gzip" }, body: "no gzip" });
    expect(diff(broken, image(1))).toContain("7 bytes that cannot be decoded");
  });

  test("every kind of flow can be compared with every other", () => {
    const flows = new FlowSet(every());
    for (let a = 0; a < flows.length; a++) {
      for (let b = 0; b < flows.length; b++) {
        const text = flows.diff(a, b);
        expect(text.split("\n")[0]).toMatch(new RegExp(`^--- ${a} `));
        expect(text.includes("no difference")).toBe(a === b);
      }
    }
    expect(flows.diff(0, 4)).toContain('+ server: "hello"');
    expect(flows.diff(0, 1)).toContain("+ error UPSTREAM_REFUSED: it failed");
  });

  test("is bounded, whatever the bodies are", () => {
    const lines = (seed: number) => Array.from({ length: 20_000 }, (_, i) => `${(i * seed) % 7919}`).join("\n");
    const text = diff(answered("http://a.test/", { body: lines(3) }), answered("http://a.test/", { body: lines(5) }));
    expect(text.split("\n").length).toBeLessThan(410);
    const deep = (n: number) => answered("http://a.test/", { body: `${"[".repeat(3000)}${n}${"]".repeat(3000)}` });
    expect(diff(deep(1), deep(2)).length).toBeLessThan(30_000);
  });

  test("says when there is no flow at a place", () => {
    expect(() => new FlowSet(every()).diff(0, 5)).toThrow(
      "there is no flow at 5: the set has 5, counted from 0, or from -1 backwards",
    );
    expect(() => new FlowSet(every()).diff(undefined as unknown as number, 1)).toThrow("no flow at undefined");
    expect(new FlowSet(every()).diff(0, -1)).toContain("+++ -1 GET wss://chat.test/room");
  });
});

test("asking changes nothing, and a live set stays live", () => {
  const flows = new FlowSet(every(), { max: 6 });
  const before = JSON.stringify(flows);
  const groups = flows.byStatus();
  flows.compare();
  flows.compareResponses();
  flows.extract("json.a");
  flows.summary();
  expect(JSON.stringify(flows)).toBe(before);
  flows.append(httpFlow({ url: "http://a.test/new", status: 200 }));
  expect(groups.get(200)!.length).toBe(1);
  expect(flows.byStatus().get(200)!.length).toBe(2);
});
