// Ready matchers for what pages load, and the ready list for https.passthrough.
import { describe, expect, test } from "vitest";
import {
  any,
  type CompiledMatcher,
  FlowRequest,
  FlowResponse,
  fonts,
  HttpFlow,
  images,
  media,
  respond,
  scripts,
  startProxy,
  styles,
  tcp,
  tlsBypass,
} from "../../src/mod.ts";
import { compilePassthrough } from "../../src/options/passthrough.ts";
import { connectFlow } from "../../src/wire/inbound/connect_flow.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { connectRequest } from "../wire/tunnel.ts";

const MATCHERS = { images, scripts, styles, fonts, media };

function kindsOf(path: string, headers: Record<string, string> = {}, type?: string, method = "GET"): string[] {
  const flow = new HttpFlow(FlowRequest.create({ method, url: `http://a.test${path}`, headers }), {
    id: 1,
    host: "127.0.0.1",
    port: 1,
  });
  if (type !== undefined) flow.response = FlowResponse.create({ headers: { "content-type": type } });
  return Object.entries(MATCHERS).filter(([, matcher]) => matcher.matches(flow)).map(([name]) => name);
}

describe("matchers for assets", () => {
  test.each([
    ["/a.png", "images"],
    ["/a/b.JPEG?x=1", "images"],
    ["/favicon.ico", "images"],
    ["/app.js?v=2", "scripts"],
    ["/app.mjs", "scripts"],
    ["/a.css", "styles"],
    ["/a.woff2", "fonts"],
    ["/a.mp4", "media"],
  ])("%s is one of %s by its extension", (path, kind) => expect(kindsOf(path)).toEqual([kind]));

  test.each([
    ["image", "images"],
    ["script", "scripts"],
    ["serviceworker", "scripts"],
    ["style", "styles"],
    ["font", "fonts"],
    ["video", "media"],
  ])("Sec-Fetch-Dest: %s is one of %s, whatever the path", (destination, kind) => {
    expect(kindsOf("/asset", { "sec-fetch-dest": destination })).toEqual([kind]);
    expect(kindsOf("/a.html", { "sec-fetch-dest": destination })).toEqual([kind]);
  });

  test("Sec-Fetch-Dest goes before the extension where it is certain", () => {
    expect(kindsOf("/a.png", { "sec-fetch-dest": "script" })).toEqual(["scripts"]);
    expect(kindsOf("/a.png", { "sec-fetch-dest": "empty" })).toEqual(["images"]);
    expect(kindsOf("/a.png", { "sec-fetch-dest": "document" })).toEqual(["images"]);
  });

  test("Accept says it when it begins with such a type", () => {
    expect(kindsOf("/a", { accept: "image/avif,image/webp,*/*;q=0.8" })).toEqual(["images"]);
    expect(kindsOf("/a", { accept: "text/css,*/*;q=0.1" })).toEqual(["styles"]);
    expect(kindsOf("/a", { accept: "text/html,application/xhtml+xml,image/avif,*/*;q=0.8" })).toEqual([]);
    expect(kindsOf("/a", { accept: "*/*" })).toEqual([]);
  });

  test("when the response is there its type counts too", () => {
    expect(kindsOf("/a", {}, "image/png")).toEqual(["images"]);
    expect(kindsOf("/a", {}, "text/javascript; charset=utf-8")).toEqual(["scripts"]);
    expect(kindsOf("/a", {}, "text/html")).toEqual([]);
  });

  test("pages, data and uploads are none", () => {
    for (const path of ["/", "/index.html", "/a.json", "/png", "/a.jsx", "/images.png/list"]) {
      expect(kindsOf(path)).toEqual([]);
    }
    expect(kindsOf("/a.png", {}, undefined, "PUT")).toEqual([]);
  });

  test("in rules, and in other matchers", async () => {
    await using proxy = await startProxy({
      rules: [[any(images, styles), respond({ status: 204 })]],
      defaultAction: respond({ body: "page" }),
    });
    expect((await proxy.fetch("http://a.test/a.png")).status).toBe(204);
    expect((await proxy.fetch("http://a.test/a.css")).status).toBe(204);
    expect(await (await proxy.fetch("http://a.test/")).text()).toBe("page");
    expect(proxy.flows.filter(images).length).toBe(1);
    expect((images as CompiledMatcher).description).toBe("images");
  });
});

describe("tlsBypass", () => {
  const matcher = compilePassthrough(tlsBypass);
  const passes = (hostname: string) =>
    matcher.matches(connectFlow({ hostname, port: 443 }, { id: 1, host: "127.0.0.1", port: 1 }));

  test("has what browsers talk to on their own, and no application", () => {
    const own = ["update.googleapis.com", "clients2.google.com", "edgedl.me.gvt1.com", "push.services.mozilla.com"];
    for (const host of [...own, "r3.o.lencr.org", "ocsp.digicert.com", "ocsp2.apple.com"]) {
      expect([host, passes(host)]).toEqual([host, true]);
    }
    for (
      const host of ["google.com", "www.googleapis.com", "shop.test", "mozilla.org", "apple.com", "a.digicert.com"]
    ) {
      expect([host, passes(host)]).toEqual([host, false]);
    }
  });

  test("is taken by https.passthrough, with others", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using proxy = await startProxy({
      https: { passthrough: [...tlsBypass, "pinned.test"] },
      upstream: { hosts: { "update.googleapis.com": `127.0.0.1:${origin.port}` } },
    });
    await using client = await connectRaw(proxy.port);
    await client.write(connectRequest("update.googleapis.com:443"));
    await client.readHead();
    const secure = await client.startTls({ ca: origin.ca, servername: "update.googleapis.com" });
    secure.end("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(new TextDecoder().decode(await secure.readAll())).toContain("ok");
    await proxy.waitFor(tcp());
  });
});
