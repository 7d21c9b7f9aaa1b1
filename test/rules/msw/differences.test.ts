// The rows of docs/msw.md, "If you come from MSW", that no other test shows as a whole.
import { describe, expect, test } from "vitest";
import { startProxy } from "../../../src/mod.ts";
import { startOrigin } from "../../support/origin.ts";
import { VERSIONS } from "./versions.ts";

describe.each(VERSIONS)("%s", (_, { http, HttpResponse, passthrough, delay }) => {
  test("an exception in a resolver is a 502 that names the rule, and close() rejects", async () => {
    const proxy = await startProxy({
      rules: [http.get("http://a.test/", () => {
        throw new Error("boom");
      })],
    });
    const response = await proxy.fetch("http://a.test/");
    expect(response.status).toBe(502);
    expect(await response.text()).toContain("rules[0] (GET http://a.test/): boom");
    await expect(proxy.close()).rejects.toThrow("boom");
  });

  test("what no handler is for is dropped when that is asked for", async () => {
    await using proxy = await startProxy({
      rules: [http.get("http://a.test/", () => HttpResponse.text("a"))],
      defaultAction: "drop",
    });
    expect(await (await proxy.fetch("http://a.test/")).text()).toBe("a");
    await expect(proxy.fetch("http://b.test/")).rejects.toThrow();
  });

  test("use() goes before all others, and can be taken back; reset() does that for all", async () => {
    const say = (what: string) => http.get("http://a.test/", () => HttpResponse.text(what));
    await using proxy = await startProxy({ rules: [say("initial")] });
    const ask = async () => await (await proxy.fetch("http://a.test/")).text();
    const handle = proxy.use(say("used"));
    expect(await ask()).toBe("used");
    expect(handle.calls.length).toBe(1);
    handle.dispose();
    expect(await ask()).toBe("initial");
    proxy.use(say("again"));
    proxy.reset();
    expect(await ask()).toBe("initial");
  });

  test("passthrough() keeps the rules below away, and the server gets what the client sent", async () => {
    await using origin = await startOrigin((request) => ({ body: `real ${request.text()}` }));
    await using proxy = await startProxy({ rules: [http.post("*", () => passthrough()), [() => true, "drop"]] });
    const response = await proxy.fetch(origin.url, { method: "POST", body: "body" });
    expect(await response.text()).toBe("real body");
  });

  test("a client that hangs up ends what its resolver waits for, and many are answered at once", async () => {
    let aborted = 0;
    await using proxy = await startProxy({
      rules: [
        http.get("http://a.test/slow", async ({ request }) => {
          await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
          aborted++;
        }),
        http.get("http://a.test/:n", async ({ params }) => {
          await delay(5);
          return HttpResponse.text(`${params.n}`);
        }),
      ],
    });
    const controller = new AbortController();
    const slow = proxy.fetch("http://a.test/slow", { signal: controller.signal }).catch(() => "aborted");
    await expect.poll(() => proxy.flows.length).toBe(1);
    controller.abort();
    expect(await slow).toBe("aborted");
    await expect.poll(() => aborted).toBe(1);
    const ask = async (n: number) => await (await proxy.fetch(`http://a.test/${n}`)).text();
    const all = Array.from({ length: 50 }, (_, n) => n);
    expect(await Promise.all(all.map(ask))).toEqual(all.map(String));
  });
});
