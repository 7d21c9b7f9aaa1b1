// Addons that decide where requests go, and what they say. Each as an addon and as an action.
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  anticache,
  anticomp,
  blockList,
  mapLocal,
  mapRemote,
  modifyHeaders,
  only,
  stickyAuth,
  stickyCookie,
} from "../../src/addons/mod.ts";
import { type Addon, not, RuleEngine, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { tempFolder } from "../support/temp.ts";
import { pass } from "../rules/pass.ts";
import { bothForms } from "./support.ts";

describe("mapLocal", () => {
  test.each([0, 1])("a folder, form %i", async (form) => {
    await using folder = await tempFolder();
    await mkdir(folder.file("site", "sub"), { recursive: true });
    await writeFile(folder.file("site", "index.html"), "home");
    await writeFile(folder.file("site", "sub", "index.html"), "sub");
    await writeFile(folder.file("site", "a.json"), "{}");
    await writeFile(folder.file("secret"), "SECRET");
    await symlink(folder.file("secret"), folder.file("site", "link"));
    const { send } = bothForms(mapLocal("https://cdn.test/assets/", folder.file("site")))[form]!;
    const get = async (url: string) => {
      const { response, forwarded } = await send({ url });
      return forwarded ? "forwarded" : response!.status === 302 ? response!.headers.get("location") : response!.text();
    };
    expect(await get("https://cdn.test/assets/a.json?x=1")).toBe("{}");
    expect(await get("https://cdn.test/assets/")).toBe("home");
    expect(await get("https://cdn.test/assets")).toBe("/assets/");
    expect(await get("https://cdn.test/assets/sub/")).toBe("sub");
    expect(await get("https://cdn.test/assets/sub?q=1")).toBe("/assets/sub/?q=1");
    for (const path of ["none", "link", "%2e%2e%2fsecret", "..%5csecret"]) {
      expect(await get(`https://cdn.test/assets/${path}`)).toContain("The folder has no file for");
    }
    for (
      const url of [
        "https://cdn.test/assetsx/a.json",
        "https://cdn.test/",
        "http://cdn.test/assets/a.json",
        "https://x.test/assets/",
      ]
    ) {
      expect(await get(url)).toBe("forwarded");
    }
  });

  test("a file, an expression, and what is missing", async () => {
    await using folder = await tempFolder();
    await writeFile(folder.file("a.js"), "js");
    const get = async (addon: Addon, url: string) => {
      const { response, forwarded } = await bothForms(addon)[0]!.send({ url });
      return forwarded ? "forwarded" : `${response!.status} ${response!.text()}`;
    };
    const file = mapLocal(/\/app\.[0-9a-f]+\.js$/, folder.file("a.js"));
    expect(await get(file, "https://a.test/x/app.0af.js")).toBe("200 js");
    expect(await get(file, "https://a.test/x/app.js")).toBe("forwarded");
    const some = mapLocal(/^https:\/\/\w+\.test\/static/g, folder.path, { missing: "forward" });
    for (const _ of [1, 2]) expect(await get(some, "https://a.test/static/a.js")).toBe("200 js");
    expect(await get(some, "https://a.test/static/b.js")).toBe("forwarded");
  });

  test("the client may ask whether it has changed", async () => {
    await using folder = await tempFolder();
    await writeFile(folder.file("a.js"), "js");
    await using proxy = await startProxy({ addons: [mapLocal("http://a.test/", folder.path)] });
    const first = await proxy.fetch("http://a.test/a.js");
    expect([await first.text(), first.headers.get("content-type")]).toEqual(["js", "text/javascript; charset=utf-8"]);
    const again = await proxy.fetch("http://a.test/a.js", { headers: { "if-none-match": first.headers.get("etag")! } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect(proxy.flows.first()).toMatchObject({ source: "addon" });
  });
});

describe("mapRemote", () => {
  test.each<[string | RegExp, string, string, string]>([
    ["https://a.test/", "http://b.test:81/", "https://a.test/x?y=1", "http://b.test:81/x?y=1"],
    ["https://a.test", "http://b.test/v2", "https://a.test/x", "http://b.test/v2/x"],
    ["https://a.test/v1/", "http://b.test/v2/", "https://a.test/v1/x", "http://b.test/v2/x"],
    ["https://a.test/v1/", "http://b.test/v2/", "https://a.test/v1?y=1", "http://b.test/v2?y=1"],
    ["https://a.test/v1", "http://b.test/v2", "https://a.test/v10", "https://a.test/v10"],
    ["https://a.test/v1", "http://b.test/v2", "https://a.test.evil/v1", "https://a.test.evil/v1"],
    ["https://a.test:8443/", "http://b.test/", "https://a.test:8443/x", "http://b.test/x"],
    [/^https:\/\/(\w+)\.old\.test/, "https://$1.new.test", "https://api.old.test/x?y=1", "https://api.new.test/x?y=1"],
    [/v1/g, "v2", "https://a.test/v1/v1", "https://a.test/v2/v2"],
    [/v9/, "v2", "https://a.test/v1", "https://a.test/v1"],
  ])("%s to %s: %s", async (from, to, url, expected) => {
    for (const { send } of bothForms(mapRemote(from, to))) {
      const { flow } = await send({ url });
      expect([flow.request.url, flow.request.originalUrl]).toEqual([expected, url]);
    }
  });

  test("to a real server, with the Host that was asked for; rules see the new URL", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({
      addons: [mapRemote("https://a.test/", origin.url, { host: "keep" })],
      rules: [["https://a.test/*", "drop"]],
    });
    expect(await (await proxy.fetch("https://a.test/x?y=1")).text()).toBe("ok");
    expect([origin.requests[0]!.target, origin.requests[0]!.header("host")]).toEqual(["/x?y=1", "a.test"]);
  });
});

describe("blockList", () => {
  test("blocks what one of its matchers accepts", async () => {
    for (const { send } of bothForms(blockList([{ host: "*.metrics.test" }, "/beacon", { json: { track: true } }]))) {
      const status = async (url: string, body?: string) =>
        (await send({ url, ...(body && { method: "POST", body }) })).response!.status;
      expect(await status("http://a.metrics.test/")).toBe(403);
      expect(await status("http://a.test/beacon")).toBe(403);
      expect(await status("http://a.test/", '{"track":true}')).toBe(403);
      expect(await status("http://a.test/", '{"track":false}')).toBe(200);
      expect(await status("http://a.test/")).toBe(200);
    }
  });

  test("with a status, with a drop, and everything", async () => {
    const one = async (addon: Addon, url: string) => {
      const { flow: { error, response } } = await bothForms(addon)[1]!.send({ url });
      return error?.code ?? `${response!.status} ${response!.headers.get("content-type")} ${response!.body.length}`;
    };
    expect(await one(blockList(), "http://a.test/x.js")).toBe("403 text/javascript; charset=utf-8 0");
    expect(await one(blockList([], { status: 204 }), "http://a.test/x")).toBe("204 null 0");
    expect(await one(blockList([not("/ok")], { status: "drop" }), "http://a.test/x")).toBe("DROPPED");
  });

  test("one that waits for a body is not overtaken by a rule", async () => {
    await using proxy = await startProxy({
      addons: [blockList([{ json: { track: true } }])],
      rules: [[() => true, (flow) => void flow.request.text()], ["*", "drop"]],
      defaultAction: "drop",
    });
    const response = await proxy.fetch("http://a.test/", { method: "POST", body: '{"track":true}' });
    expect([response.status, await response.text()]).toEqual([403, ""]);
  });
});

test("anticache takes away what would get a 304, and nothing that guards a change", async () => {
  const headers = { "If-None-Match": '"1"', "If-Modified-Since": "x", "If-Match": '"2"', range: "bytes=0-1" };
  for (const { send } of bothForms(anticache())) {
    const { flow } = await send({ headers });
    expect(flow.request.headers.raw.map(([name]) => name)).toEqual(["If-Match", "range", "Host"]);
  }
});

test("anticomp asks for no compression", async () => {
  for (const headers of [{ "accept-encoding": "gzip, br" }, { accept: "x" }] as Record<string, string>[]) {
    for (const { send } of bothForms(anticomp())) {
      expect((await send({ headers })).flow.request.headers.get("accept-encoding")).toBe("identity");
    }
  }
});

test("modifyHeaders removes, sets and adds, on both sides", async () => {
  const addon = modifyHeaders({
    request: { remove: ["x-a", /^x-debug/], set: { "user-agent": "test", n: 1 }, add: { accept: ["a", "b"] } },
    response: { remove: ["server"], set: { "x-r": "1" }, add: { "set-cookie": "c=1" } },
  });
  for (const { send } of bothForms(addon)) {
    const { flow, response } = await send({
      headers: { "X-A": ["1", "2"], "X-Debug-1": "1", "x-other": "1", "User-Agent": "x", accept: "0" },
      upstream: { headers: [["Server", "s"], ["Set-Cookie", "b=1"]] },
    });
    expect(flow.request.headers.raw).toEqual([
      ["x-other", "1"],
      ["User-Agent", "test"],
      ["accept", "0"],
      ["Host", "a.test"],
      ["n", "1"],
      ["accept", "a"],
      ["accept", "b"],
    ]);
    expect(response!.headers.raw).toEqual([["Set-Cookie", "b=1"], ["x-r", "1"], ["set-cookie", "c=1"]]);
  }
});

describe("stickyCookie", () => {
  test("adds what servers have set, where it belongs", async () => {
    for (const { send } of bothForms(stickyCookie())) {
      const set = (url: string, ...cookies: string[]) =>
        send({ url, upstream: { headers: { "set-cookie": cookies } } });
      const sent = async (url: string, headers = {}) =>
        (await send({ url, headers })).flow.request.headers.get("cookie");
      await set(
        "http://shop.test/a/login",
        "sid=1; Path=/",
        "here=2",
        "secure=3; Secure; Path=/",
        "evil=4; Domain=other.test",
        "all=6; Domain=test; Path=/",
        "d=5; Domain=.shop.test; Path=/",
      );
      expect(await sent("http://shop.test/")).toBe("sid=1; d=5");
      expect(await sent("http://shop.test/a/x")).toBe("here=2; sid=1; d=5");
      expect(await sent("https://shop.test/")).toBe("sid=1; secure=3; d=5");
      expect(await sent("http://www.shop.test/")).toBe("d=5");
      expect(await sent("http://other.test/")).toBe(null);
      expect(await sent("http://xshop.test/")).toBe(null);
      // What the client says goes before.
      expect(await sent("http://shop.test/", { cookie: "sid=mine; own=1" })).toBe("sid=mine; own=1; d=5");
      await set("http://shop.test/", "sid=new; Path=/", "d=; Domain=shop.test; Path=/; Max-Age=0");
      expect(await sent("http://shop.test/")).toBe("sid=new");
      await set("http://shop.test/", "sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
      expect(await sent("http://shop.test/")).toBe(null);
    }
  });
});

test.each([0, 1])(
  "stickyAuth adds the credentials of the last client, to the same server alone: form %i",
  async (form) => {
    const { send } = bothForms(stickyAuth())[form]!;
    const sent = async (url: string, headers = {}) =>
      (await send({ url, headers })).flow.request.headers.get("authorization");
    expect(await sent("http://a.test/")).toBe(null);
    expect(await sent("http://a.test/", { authorization: "Basic 1" })).toBe("Basic 1");
    expect(await sent("http://a.test/x")).toBe("Basic 1");
    for (const url of ["https://a.test/", "http://a.test:81/", "http://b.test/"]) expect(await sent(url)).toBe(null);
    await sent("http://a.test/", { authorization: "Basic 2" });
    expect(await sent("http://a.test/")).toBe("Basic 2");
  },
);

describe("only", () => {
  test("limits an addon to some flows; its other hooks are called as ever", async () => {
    const called: string[] = [];
    const mark = (name: string) => (...args: unknown[]) =>
      void called.push(
        `${name}${args[0] === undefined ? "" : ` ${(args[0] as { request: { path: string } }).request.path}`}`,
      );
    const addon: Addon = {
      name: "mine",
      requestHeaders: mark("requestHeaders"),
      response: mark("response"),
      done: mark("done"),
    };
    const limited = only("/a", addon);
    expect(limited.name).toBe("mine for /a");
    const engine = new RuleEngine();
    for (const path of ["/a", "/b"]) await pass(engine, { url: `http://a.test${path}`, addons: { before: [limited] } });
    await limited.done!();
    expect(called).toEqual(["requestHeaders /a", "response /a", "done"]);
  });

  test("lets the bodies of other flows stream, and asks the addon about those of its own", async () => {
    const limited = only("/a", { response() {}, needs: () => false });
    const all = only("/a", { response() {} });
    const hooks = async (addon: Addon, path: string) =>
      (await pass(new RuleEngine(), { url: `http://a.test${path}`, addons: { before: [addon] } })).hooks.includes(
        "response",
      );
    expect([await hooks(limited, "/a"), await hooks(all, "/a"), await hooks(all, "/b")]).toEqual([false, true, false]);
  });

  test("cannot look at bodies, and says so", async () => {
    const limited = only({ json: { a: 1 } }, anticache());
    await expect(pass(new RuleEngine(), { method: "POST", body: "{}", addons: { before: [limited] } })).rejects.toThrow(
      "only({ json: { a: 1 } }, ...) looks at the body",
    );
  });
});
