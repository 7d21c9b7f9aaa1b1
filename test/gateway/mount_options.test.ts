// What mount() and option app do not accept, and what a resolver does wrong.
import { describe, expect, test } from "vitest";
import { fixedPrefix, type Handler, mount, type MountOptions, unprefixed } from "../../src/gateway/mod.ts";
import { type HttpFlow, OptionsError, type ProxyOptions, startProxy } from "../../src/mod.ts";
import { ask } from "./client.ts";

const handler: Handler = (request) => new Response(request.url);

describe("mount() refuses", () => {
  const wrong: [string, unknown, string][] = [
    ["an option that is not known", { perfix: "/p/" }, 'option perfix is not known; did you mean "prefix"?'],
    ["a prefix that is no path", { prefix: "prefix/" }, 'a prefix is a path such as "/prefix/", not "prefix/"'],
    ["an empty prefix", { prefix: "" }, "a prefix is a path"],
    ["a prefix with a query", { prefix: "/p?a=" }, "a prefix is a path"],
    ["a prefix that is no text", { prefix: 7 }, 'a prefix is a path such as "/prefix/", not 7'],
    [
      "prefix and resolve",
      { prefix: "/p/", resolve: () => "/" },
      "options prefix and resolve of mount() exclude each other",
    ],
    [
      "a resolver that is no function",
      { resolve: "/p/" },
      'option resolve is "/p/": a function of the URL is accepted',
    ],
    [
      "a host with a scheme",
      { hosts: ["http://a.test"] },
      'option hosts[0] is "http://a.test": a host name without scheme or port',
    ],
    [
      "a host with a port",
      { hosts: { "a.test:80": handler } },
      'option hosts["a.test:80"] is "a.test:80": a host name',
    ],
    ["a host with a wildcard", { hosts: ["*.a.test"] }, "option hosts[0]"],
    ["an empty host", { hosts: { "": handler } }, 'option hosts[""]'],
    ["hosts that are text", { hosts: "a.test" }, 'option hosts is "a.test": a list of host names, or an object'],
    ["a host without a handler", { hosts: { "a.test": "app" } }, 'option hosts["a.test"] is "app": a handler, or null'],
    ["a download host that is none", { download: "/download" }, 'option download is "/download": a host name'],
    ["download: true", { download: true }, "option download is true"],
    ["only with a matcher that is none", { only: 7 }, "option only of mount()"],
    ["another user", { user: "optional" }, 'option user is "optional": "required" is accepted'],
  ];

  test.each(wrong)("%s", (_, options, message) => {
    expect(() => mount(handler, options as MountOptions)).toThrow(OptionsError);
    expect(() => mount(handler, options as MountOptions)).toThrow(message);
  });

  test.each([[undefined, "not undefined"], ["app", 'not "app"'], [{ fetch: handler }, "give it app.fetch"], [
    {},
    "see node()",
  ]])(
    "%j in the place of a handler",
    (value, message) => {
      expect(() => mount(value as Handler)).toThrow(message);
    },
  );
});

test.each([[handler], ["app"], [{}], [null]])("option app: %s is refused", async (value) => {
  await expect(startProxy({ app: value } as unknown as ProxyOptions)).rejects.toThrow(
    "what mount(handler) of flowtape/gateway makes is accepted",
  );
});

describe("a resolver that", () => {
  const wrong: [string, () => unknown, string][] = [
    ["throws", () => {
      throw new Error("no such tenant");
    }, "no such tenant"],
    [
      "gives nothing",
      () => undefined,
      "option resolve of mount() gave undefined for https://shop.test/cart: a path that begins with a slash",
    ],
    ["gives no path", () => "prefix/x", 'gave "prefix/x"'],
    ["gives another server", () => "http://other.test/", 'gave "http://other.test/"'],
    ["gives a number", () => 7, "gave 7"],
    ["is async", () => Promise.resolve("/x"), "a path that begins with a slash is expected"],
    ["is async and fails", () => Promise.reject(new Error("later")), "a path that begins with a slash is expected"],
  ];

  test.each(wrong)("%s: 500 with the reason", async (_, resolve, message) => {
    await using proxy = await startProxy({ app: mount(handler, { resolve: resolve as () => string }) });
    const { status, text } = await ask(proxy, "https://shop.test/cart");
    expect(status).toBe(500);
    expect(text).toContain(message);
    expect((proxy.flows.last() as HttpFlow).error).toMatchObject({ code: "APP_FAILED", status: 500 });
    expect(await (await fetch(`${proxy.url}/own`)).text()).toBe(`${proxy.url}/own`);
  });

  test("gives a path that begins with two slashes stays on its server", async () => {
    await using proxy = await startProxy({ app: mount(handler, { resolve: () => "//other.test/x" }) });
    expect((await ask(proxy, "https://shop.test/cart")).text).toBe("https://shop.test//other.test/x");
  });

  test("changes the URL that it is given changes a copy", async () => {
    await using proxy = await startProxy({
      app: mount((_, info) => new Response(info.url!.href), {
        resolve(url) {
          url.hostname = "other.test";
          return "/x";
        },
      }),
    });
    expect((await ask(proxy, "https://shop.test/cart")).text).toBe("https://shop.test/cart");
  });
});

test("fixedPrefix() adds the slash at its end; unprefixed() is its inverse, or says what is wrong", () => {
  const url = new URL("https://shop.test/a?b=c#d");
  expect(fixedPrefix("/p")(url)).toBe("/p/https://shop.test/a?b=c#d");
  expect(unprefixed("http://localhost/p/https://shop.test/a?b=c", "/p").href).toBe("https://shop.test/a?b=c");
  for (
    const wrong of ["http://localhost/q/https://shop.test/", "http://localhost/p/", "http://localhost/p/mailto:me"]
  ) {
    expect(() => unprefixed(wrong, "/p/")).toThrow("followed by a URL such as https://example.com/");
  }
});
