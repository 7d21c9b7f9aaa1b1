import { describe, expect, test } from "vitest";
import { inspect } from "node:util";
import { FlowSet } from "../../src/flow/flow_set.ts";
import { summarize } from "../../src/flow/summary.ts";
import { arriving, httpFlow, tcpFlow } from "./flows.ts";

const at = (n: number) => httpFlow({ url: `http://a.test/${n}`, status: 200 });
const paths = (flows: FlowSet) => flows.requests.map((request) => request.path);

describe("FlowSet", () => {
  test("gives flows by their place", () => {
    const flows = new FlowSet([at(0), at(1), at(2)]);
    expect(flows.length).toBe(3);
    expect(paths(new FlowSet([flows.first()!, flows.last()!, flows.at(1)!, flows.at(-2)!]))).toEqual([
      "/0",
      "/2",
      "/1",
      "/1",
    ]);
    expect(flows.at(3)).toBe(undefined);
    expect(flows.at(-4)).toBe(undefined);
    expect(new FlowSet().first()).toBe(undefined);
    expect(paths(flows.slice(1))).toEqual(["/1", "/2"]);
    expect(paths(flows.slice(-2, -1))).toEqual(["/1"]);
  });

  test("filters into a set that does not grow", () => {
    const flows = new FlowSet([at(1), tcpFlow(), at(2)]);
    const filtered = flows.filter("/1");
    flows.append(at(1));
    expect(paths(filtered)).toEqual(["/1"]);
    expect(flows.filter("/1").length).toBe(2);
    expect(flows.filter((flow) => flow.response?.status === 200).length).toBe(3);
    expect(() => flows.filter("a.test/1")).toThrow("neither a path nor an absolute URL");
  });

  test("a flow whose body is still coming does not match yet", () => {
    const flow = arriving({ method: "POST", url: "http://a.test/" });
    const flows = new FlowSet([flow]);
    expect(flows.filter({ json: {} }).length).toBe(0);
    flow.request.content.push(new TextEncoder().encode("{}"));
    flow.request.content.complete = true;
    expect(flows.filter({ json: {} }).length).toBe(1);
  });

  test("is bounded: the oldest go", () => {
    const flows = new FlowSet([], { max: 3 });
    for (let n = 0; n < 1000; n++) flows.append(at(n));
    expect(paths(flows)).toEqual(["/997", "/998", "/999"]);
    expect(flows.length).toBe(3);
    expect(flows.dropped).toBe(997);
    expect(flows.at(0)).toBe(flows.first());
    expect(flows.at(-4)).toBe(undefined);
    flows.clear();
    expect([flows.length, flows.dropped]).toEqual([0, 0]);
    expect(new FlowSet([at(1)], { max: 0 }).first()).toBe(undefined);
  });

  test("a copy goes its own way, with the same limit", () => {
    const flows = new FlowSet([at(1)], { max: 2 });
    const copy = flows.copy();
    copy.append(at(2));
    copy.append(at(3));
    expect(paths(copy)).toEqual(["/2", "/3"]);
    expect(flows.length).toBe(1);
  });

  test("what arrives during iteration is seen, what goes is not", () => {
    const flows = new FlowSet([at(0), at(1), at(2)], { max: 3 });
    const seen: string[] = [];
    for (const flow of flows) {
      if (flow.type === "http") seen.push(flow.request.path);
      if (seen.length === 1) {
        flows.append(at(3));
        flows.append(at(4));
      }
    }
    expect(seen).toEqual(["/0", "/2", "/3", "/4"]);
  });

  test("shows itself without bodies and credentials", () => {
    const flows = new FlowSet([httpFlow({ url: "http://a.test/?token=abc", status: 200, headers: { cookie: "abc" } })]);
    const expected = [{ method: "GET", url: "http://a.test/?token=[redacted]", status: 200, source: "upstream" }];
    expect(JSON.parse(JSON.stringify(flows))).toEqual(expected);
    expect(inspect(flows)).toContain("FlowSet");
    expect(inspect(flows)).toContain("[redacted]");
    expect(inspect(flows)).not.toContain("abc");
  });
});

test("holds flows and nothing else", () => {
  const set = new FlowSet([at(1)]);
  for (const junk of [null, undefined, 7, {}, { type: "http2" }]) {
    expect(() => set.append(junk as never)).toThrow("a FlowSet holds flows");
    expect(() => new FlowSet([junk as never])).toThrow("a FlowSet holds flows");
  }
  expect(() => new FlowSet(7 as never)).toThrow("a FlowSet is made of flows, such as an array of them, not of 7");
  expect(set.length).toBe(1);
});

describe("summary", () => {
  test("is a table that lines up", () => {
    const rule = httpFlow({ method: "POST", url: "https://shop.test/orders", status: 201, took: 12.4 });
    rule.source = "rule";
    const large = httpFlow({ url: "http://a.test/x", status: 200, took: 1500 });
    large.response!.body = new Uint8Array(123_456);
    const flows = new FlowSet([
      rule,
      large,
      httpFlow({ url: "http://down.test/", error: "UPSTREAM_REFUSED" }),
      tcpFlow(),
    ]);
    const slow = arriving("http://a.test/slow");
    delete slow.timings.end;
    flows.append(slow);
    expect(`\n${flows.summary()}`).toBe(`
#  method  url                       status            source        size    ms
0  POST    https://shop.test/orders  201               rule           2 B    12
1  GET     http://a.test/x           200               upstream  123.5 kB  1500
2  GET     http://down.test/         UPSTREAM_REFUSED  upstream               1
3  TCP     db.test:5432              closed            upstream       7 B     3
4  GET     http://a.test/slow        pending           upstream
5 flows`);
  });

  test("cuts long URLs in the middle, to 100 columns", () => {
    const url = `https://api.shop.test/v1/${"very-".repeat(30)}long/items?page=2`;
    const lines = new FlowSet([httpFlow({ url, status: 200 })]).summary().split("\n");
    expect(lines[1]!.length).toBe(100);
    expect(lines[1]).toMatch(/^0 {2}GET {5}https:\/\/api\.shop\.test\/v1\/very-\S*…\S*-long\/items\?page=2 {2}200/);
  });

  test("says what is missing", () => {
    expect(new FlowSet().summary()).toBe("no flows");
    expect(new FlowSet([at(1)]).summary()).toMatch(/\n1 flow$/);
    expect(new FlowSet([at(1), at(2)], { max: 1 }).summary()).toMatch(/\n1 flow \(1 older one was dropped\)$/);
    expect(summarize([at(1), at(2), at(3)], { limit: 1, dropped: 2 }))
      .toMatch(/\n2 .*\/3 .*\n3 flows \(the last 1 shown, 2 older ones were dropped\)$/);
  });
});
