import { describe, expect, test } from "vitest";
import { gzipSync } from "node:zlib";
import { BodyBuffer } from "../../src/flow/body_buffer.ts";
import { compile } from "../../src/flow/matcher/compile.ts";
import type { Matcher, RequestShape } from "../../src/flow/matcher/types.ts";
import { arriving, type FlowInit, httpFlow, tcpFlow } from "./flows.ts";

const order: FlowInit = {
  method: "POST",
  url: "https://api.shop.test:8443/orders/7?page=2&tag=a&tag=b&empty=",
  headers: { "X-Id": "42", Accept: ["text/html", "text/*"], Cookie: "session=abc; theme=dark" },
  json: { qty: 2, sku: "A-1", items: [{ id: 1, note: null }, { id: 2 }], paid: true },
  status: 404,
};
const form: FlowInit = {
  method: "POST",
  url: "http://a.test/",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: "name=Ann+B&age=7&tag=x&tag=y",
};
const upload: FlowInit = {
  method: "POST",
  url: "http://a.test/",
  headers: { "content-type": "multipart/form-data; boundary=b" },
  body: '--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nhi\r\n' +
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nPNG\r\n--b--\r\n',
};
const yes = true;
const no = false;

describe("a shape matches", () => {
  test.each<[RequestShape, boolean, FlowInit?]>([
    [{}, yes],
    [{ method: undefined, json: undefined }, yes],
    [{ method: "POST" }, yes],
    [{ method: "post" }, yes],
    [{ method: ["PUT", "post"] }, yes],
    [{ method: "PUT" }, no],
    [{ scheme: "https" }, yes],
    [{ scheme: "http" }, no],
    [{ host: "api.shop.test" }, yes],
    [{ host: "API.shop.test" }, yes],
    [{ host: "api.shop.test:8443" }, yes],
    [{ host: "api.shop.test:443" }, no],
    [{ host: "*.shop.test" }, yes],
    [{ host: "*.shop.test:8443" }, yes],
    [{ host: "shop.test" }, no],
    [{ host: /^api\./g }, yes],
    [{ host: /8443/ }, no],
    [{ port: 8443 }, yes],
    [{ port: 443 }, no],
    [{ path: "/orders/7" }, yes],
    [{ path: "/orders/:id" }, yes],
    [{ path: "*7" }, yes],
    [{ path: /^\/orders\/\d$/ }, yes],
    [{ path: /page/ }, no],
    [{ url: "https://api.shop.test:8443/orders/:id?page=2" }, yes],
    [{ url: "https://api.shop.test/orders/:id" }, no],
    [{ url: "/orders/*" }, yes],
    [{ url: /page=2/ }, yes],
    [{ url: new URL("https://api.shop.test:8443/orders/7") as unknown as string }, yes],
    // two parts that speak of the same
    [{ url: "https://api.shop.test:8443/orders/7", host: "other.test" }, no],
    [{ status: 404 }, yes],
    [{ status: "404" }, yes],
    [{ status: "4xx" }, yes],
    [{ status: "400-404" }, yes],
    [{ status: "500-504" }, no],
    [{ status: "2XX" }, no],
    [{ status: 404 }, no, { url: "http://a.test/" }],
    // query
    [{ query: { page: "2" } }, yes],
    [{ query: { page: 2 } }, yes],
    [{ query: { page: 3 } }, no],
    [{ query: { page: /^\d$/, tag: "b" } }, yes],
    [{ query: { tag: ["a", "b"] } }, yes],
    [{ query: { tag: ["b", "a"] } }, no],
    [{ query: { tag: ["a"] } }, no],
    [{ query: { tag: [/a/, expect.any(String)] } }, yes],
    [{ query: { empty: "", page: true, none: false } }, yes],
    [{ query: { none: true } }, no],
    [{ query: { page: false } }, no],
    [{ query: { page: (value: string) => Number(value) > 1 } }, yes],
    [{ query: { none: () => true } }, no],
    [{ query: { page: expect.stringMatching(/2/) } }, yes],
    [{ query: { none: expect.anything() } }, no],
    // headers and cookies
    [{ headers: { "x-id": 42 } }, yes],
    [{ headers: { "X-ID": "42", accept: true, "x-none": false } }, yes],
    [{ headers: { accept: "text/*" } }, yes],
    [{ headers: { accept: "text/html, text/*" } }, yes],
    [{ headers: { accept: ["text/html", "text/*"] } }, yes],
    [{ headers: { accept: ["text/html", "text/*"] } }, yes, {
      url: "http://a.test/",
      headers: { accept: "text/html,text/*" },
    }],
    [{ headers: { accept: ["text/html"] } }, no],
    [{ cookies: { theme: "dark", session: /^a/ } }, yes],
    [{ cookies: { theme: "light" } }, no],
    [{ cookies: { constructor: true } }, no],
    // bodies
    [{ body: /"qty":2/g }, yes],
    [{ body: "hello" }, yes, { url: "http://a.test/", body: "hello" }],
    [{ body: "hell" }, no, { url: "http://a.test/", body: "hello" }],
    [{ body: Uint8Array.of(1, 255) }, yes, { url: "http://a.test/", body: Uint8Array.of(1, 255) }],
    [{ body: Uint8Array.of(1) }, no, { url: "http://a.test/", body: Uint8Array.of(1, 255) }],
    [{ json: { qty: 2 } }, yes],
    [{ json: { qty: "2" } }, no],
    [{ json: { qty: 2, none: undefined } }, yes],
    [{ json: { qty: undefined } }, no],
    [{ json: { items: [{ id: 1 }, {}] } }, yes],
    [{ json: { items: [{ id: 1 }] } }, no],
    [{ json: { items: [{ note: null }, { id: 2 }] } }, yes],
    [{ json: { items: { length: 2 } } }, no],
    [{ json: { sku: /^A-/, qty: (value: unknown) => value === 2 } }, yes],
    [{ json: { sku: expect.stringContaining("A"), items: expect.any(Array) } }, yes],
    [{ json: { items: expect.arrayContaining([{ id: 2 }]) } }, yes],
    [{ json: expect.objectContaining({ paid: true }) }, yes],
    [{ json: { none: expect.not.stringContaining("x") } }, no],
    [{ json: { toString: expect.anything() } }, no],
    [{ json: { at: new Date(0) } }, yes, { url: "http://a.test/", json: { at: "1970-01-01T00:00:00.000Z" } }],
    [{ json: null }, yes, { url: "http://a.test/", json: null }],
    [{ json: {} }, no, { url: "http://a.test/", json: null }],
    [{ json: {} }, no, { url: "http://a.test/", body: "not json" }],
    [{ json: {} }, no, { url: "http://a.test/" }],
    [{ json: { a: 1 } }, yes, {
      url: "http://a.test/",
      headers: { "content-encoding": "gzip" },
      body: gzipSync('{"a":1}'),
    }],
    [{ body: /./ }, no, { url: "http://a.test/", headers: { "content-encoding": "gzip" }, body: "no gzip" }],
    [{ form: { name: "Ann B", age: 7 } }, yes, form],
    [{ form: { tag: ["x", "y"], none: false } }, yes, form],
    [{ form: { age: 8 } }, no, form],
    [{ form: { title: "hi", file: "a.png" } }, yes, upload],
    [{ form: { qty: 2 } }, no],
    [{ form: { qty: false } }, no],
  ])("%o %s", (shape, expected, init = order) => {
    expect(compile(shape).matches(httpFlow(init))).toBe(expected);
  });

  test("no raw conversation", () => {
    expect(compile({}).matches(tcpFlow())).toBe(false);
  });

  test("no body that was not kept in full", () => {
    const flow = httpFlow({ url: "http://a.test/" });
    flow.request.content = new BodyBuffer(5);
    flow.request.content.push(new TextEncoder().encode("hello world"));
    flow.request.content.complete = true;
    const matcher = compile({ body: "hello" });
    expect(matcher.matches(flow)).toBe(false);
    expect(matcher.compare!(flow)[0]!.actual).toBe("not kept in full: 5 of 11 bytes (capture.maxBody)");
  });

  test("a body that has not arrived is waited for, unless something else says no", () => {
    const flow = arriving({ method: "POST", url: "http://a.test/" });
    expect(() => compile({ json: {} }).matches(flow)).toThrow("has not arrived yet");
    expect(compile({ json: {}, method: "GET" }).matches(flow)).toBe(false);
    expect(compile({ json: {} }).compare!(flow)).toEqual([
      { field: "body", expected: "to be compared", actual: "has not arrived", matches: false },
    ]);
  });

  test("the asymmetric matchers of @std/expect have another form", () => {
    class Any {
      inverse = false;
      value = Number;
      equals(other: unknown) {
        return typeof other === "number";
      }
    }
    const matcher = compile({ json: { qty: new Any() } });
    expect(matcher.matches(httpFlow(order))).toBe(true);
    expect(matcher.description).toBe("{ json: { qty: Any<Number> } }");
  });

  test("a global or sticky RegExp has no memory", () => {
    const matcher = compile({ url: /orders/g, path: /^./y, body: /qty/gy, query: { page: /2/g } });
    const flow = httpFlow({ ...order, body: "qty", json: undefined });
    for (let i = 0; i < 3; i++) expect(matcher.matches(flow)).toBe(true);
  });
});

describe("a shape that cannot be read says what is accepted", () => {
  test.each<[unknown, string]>([
    [{ metod: "GET" }, '"metod" is not a part of a request; did you mean "method"?'],
    [{ header: {} }, 'did you mean "headers"?'],
    [{ banana: 1 }, '"banana" is not a part of a request (method, scheme, host'],
    [{ method: 7 }, "method 7 is not valid"],
    [{ method: [] }, "method [] is not valid"],
    [{ method: "GET /" }, 'method "GET /" is not valid'],
    [{ scheme: "ftp" }, 'scheme "ftp" is not valid: http, https, ws or wss'],
    [{ host: "https://a.test" }, 'host: "https://a.test" is not a host name'],
    [{ host: "a.test:99999" }, "a port up to 65535"],
    [{ host: "::1" }, "IPv6 addresses are written [::1]"],
    [{ port: "80" }, 'port "80" is not valid: a number'],
    [{ path: "orders" }, "a path that starts with /"],
    [{ path: "/orders?a=1" }, "the query goes into query"],
    [{ url: "shop.test/x" }, 'url: "shop.test/x" is neither a path nor an absolute URL'],
    [{ url: 7 }, "url 7 is not valid"],
    [{ status: "teapot" }, 'status "teapot" is not valid'],
    [{ status: "504-500" }, 'a range such as "500-504"'],
    [{ query: "a=1" }, "an object of names and values"],
    [{ query: { a: null } }, "query.a is null: a string, number"],
    [{ query: { a: undefined } }, "true wants it to be there, false to be absent"],
    [{ query: { a: ["x", {}] } }, "query.a[1] is {}"],
    [{ body: { a: 1 } }, "an object goes into json or form"],
  ])("%o", (shape, message) => {
    expect(() => compile(shape as Matcher, "rules[3]")).toThrow(message);
    expect(() => compile(shape as Matcher, "rules[3]")).toThrow("rules[3]");
  });
});
