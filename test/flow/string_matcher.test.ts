import { describe, expect, test } from "vitest";
import { compile } from "../../src/flow/matcher/compile.ts";
import { httpFlow, tcpFlow } from "./flows.ts";

/** `METHOD url`, or a URL that is a GET. */
function flowOf(line: string) {
  const [method, url] = line.includes(" ") ? line.split(" ") as [string, string] : ["GET", line] as const;
  return httpFlow({ method, url });
}

describe("a string matches", () => {
  test.each([
    // everything
    ["*", "http://a.test/", true],
    ["* ", "POST http://a.test/", true],
    // methods
    ["POST /orders", "POST http://a.test/orders", true],
    ["POST /orders", "http://a.test/orders", false],
    ["POST /orders", "post http://a.test/orders", false],
    ["GET|HEAD /orders", "HEAD http://a.test/orders", true],
    ["GET|HEAD /orders", "PUT http://a.test/orders", false],
    ["M-SEARCH *", "M-SEARCH http://a.test/", true],
    // paths on any host
    ["/orders", "https://a.test:8443/orders", true],
    ["/orders", "https://a.test/orders?page=2", true],
    ["/orders", "https://a.test/orders/", false],
    ["/orders", "https://a.test/Orders", false],
    ["/orders/*", "http://a.test/orders/1/items", true],
    ["/orders/*", "http://a.test/orders/", true],
    ["/orders/*", "http://a.test/orders", false],
    ["/orders/:id", "http://a.test/orders/1", true],
    ["/orders/:id", "http://a.test/orders/1/items", false],
    ["/orders/:id", "http://a.test/orders/", false],
    ["/orders/:id/items", "http://a.test/orders/1/items", true],
    ["/files/:name.json", "http://a.test/files/a.json", true],
    ["/files/:name.json", "http://a.test/files/a.xml", false],
    ["/:from-:to", "http://a.test/1-2", true],
    ["/**/items", "http://a.test/orders/1/items", true],
    // signs that a RegExp would take for its own
    ["/a.b(c)+$", "http://a.test/a.b(c)+$", true],
    ["/a.b", "http://a.test/aXb", false],
    ["/jobs:run", "http://a.test/jobs:run", true],
    ["/jobs:run", "http://a.test/jobs-x", false],
    ["/jobs/\\:run", "http://a.test/jobs/:run", true],
    ["/jobs/\\:run", "http://a.test/jobs/x", false],
    ["/glob/\\*", "http://a.test/glob/*", true],
    ["/glob/\\*", "http://a.test/glob/x", false],
    ["/straße", "http://a.test/straße", true],
    // absolute URLs
    ["https://shop.test", "https://shop.test/", true],
    ["https://shop.test", "https://shop.test/orders", false],
    ["https://shop.test/*", "https://shop.test/", true],
    ["https://shop.test/orders", "https://shop.test/orders", true],
    ["https://shop.test/orders", "http://shop.test/orders", false],
    ["https://SHOP.test/orders", "https://shop.test/orders", true],
    ["HTTPS://shop.test/orders", "https://shop.test/orders", true],
    ["https://shop.test/orders", "https://shop.test:8443/orders", false],
    ["https://shop.test:8443/orders", "https://shop.test:8443/orders", true],
    ["https://shop.test:443/orders", "https://shop.test/orders", true],
    ["http://localhost:*/", "http://localhost:1234/", true],
    ["https://bücher.test/", "https://xn--bcher-kva.test/", true],
    ["http://[::1]:8080/", "http://[0:0::1]:8080/", true],
    // hosts with holes
    ["https://*.shop.test/*", "https://api.shop.test/x", true],
    ["https://*.shop.test/*", "https://a.b.shop.test/x", true],
    ["https://*.shop.test/*", "https://shop.test/x", false],
    ["https://*.shop.test/*", "https://evil-shop.test/x", false],
    ["https://api-*.test/", "https://api-1.test/", true],
    ["https://*/orders", "https://any.test/orders", true],
    // any scheme
    ["*://shop.test/orders", "http://shop.test/orders", true],
    ["*://shop.test/orders", "https://shop.test/orders", true],
    ["*://shop.test/orders", "https://shop.test:80/orders", false],
    ["*://shop.test:*/orders", "https://shop.test:80/orders", true],
    ["wss://shop.test/live", "wss://shop.test/live", true],
    ["wss://shop.test/live", "https://shop.test/live", false],
    // queries
    ["/orders?page=2", "http://a.test/orders?sort=up&page=2", true],
    ["/orders?page=2", "http://a.test/orders?page=3", false],
    ["/orders?page=2", "http://a.test/orders", false],
    ["/orders?", "http://a.test/orders", true],
    ["/orders?q=caf%C3%A9+au", "http://a.test/orders?q=café%20au", true],
    ["/orders?q=a*c", "http://a.test/orders?q=abc", true],
    ["/orders?q=a*c", "http://a.test/orders?q=abd", false],
    ["/orders?q=a%2Ac", "http://a.test/orders?q=abc", false],
    ["/orders?q=*", "http://a.test/orders?q=", true],
    ["/orders?q=:word", "http://a.test/orders?q=", false],
    ["/orders?q=:word", "http://a.test/orders?q=x", true],
    ["/orders?debug", "http://a.test/orders?debug=1", true],
    ["/orders?debug", "http://a.test/orders", false],
    ["/orders?tag=a&tag=b", "http://a.test/orders?tag=a&tag=b", true],
    ["/orders?tag=a&tag=b", "http://a.test/orders?tag=b&tag=a", false],
    ["/orders?tag=a", "http://a.test/orders?tag=b&tag=a", true],
  ])("%s  %s  %s", (matcher, request, expected) => {
    expect(compile(matcher).matches(flowOf(request))).toBe(expected);
  });

  test("no raw conversation", () => {
    expect(compile("*").matches(tcpFlow())).toBe(false);
  });
});

describe("what is exact is the key of an index", () => {
  test.each([
    ["POST https://shop.test/orders", { method: "POST", hostname: "shop.test", path: "/orders" }],
    ["POST https://Shop.test/orders/:id", { method: "POST", hostname: "shop.test" }],
    ["GET|PUT /orders", { path: "/orders" }],
    ["https://*.shop.test/*", {}],
    ["*", {}],
  ])("%s", (matcher, key) => {
    expect(compile(matcher).key ?? {}).toEqual(key);
  });
});

describe("a string that cannot be read says what to write", () => {
  test.each([
    ["", "rules[3] is empty"],
    ["shop.test/orders", 'write "/orders" for the path on any host, or "https://shop.test/orders"'],
    ["shop.test", 'write "/shop.test" for the path on any host, or "https://shop.test"'],
    ["localhost:3000/x", 'write "/x" for the path on any host, or "https://localhost:3000/x"'],
    ["orders", 'write "/orders" for a path'],
    ["POST", '"POST *" for a method'],
    ["post /orders", 'methods are upper case, write "POST /orders"'],
    ["* /orders", "leave it out for every method"],
    ["GET,PUT /orders", 'such as "POST /orders" or "GET|HEAD /"'],
    ["GET /a b", "a space in a URL is %20"],
    ["https://shop.test/a b", "a space in a URL is %20"],
    ["/orders#top", "a fragment, which clients do not send"],
    ["//shop.test/orders", '"*://shop.test/orders" for any scheme'],
    ["ftp://shop.test/", 'the scheme "ftp": http, https, ws, wss and * are accepted'],
    ["https:///orders", "has no host"],
    ["https://[::1/orders", "IPv6 addresses are written in brackets"],
    ["https://::1/orders", "IPv6 addresses are written in brackets"],
    ["https://shop.test:port/", 'the port "port"'],
    ["https://shop.test:70000/", 'the port "70000"'],
    ["https://me@shop.test/", "a user name"],
    ["https://shop_*?.test", "has no path"],
    ["https://shop.test*", 'write "https://shop.test/*" for all paths'],
    ["https://sh,*op.test/", 'host "sh,*op.test" is not a name'],
    ["https://sh^op.test/", '"sh^op.test" is not a host name'],
    ["/orders/{id}", "write :name for a segment, * for anything"],
  ])("%s", (matcher, message) => {
    const attempt = () => compile(matcher, "rules[3]");
    expect(attempt).toThrow("rules[3]");
    expect(attempt).toThrow(message);
  });
});
