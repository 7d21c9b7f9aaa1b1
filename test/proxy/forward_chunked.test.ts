// The option forwardChunked: what the server pushes reaches the client at once, whoever wants to see the whole.
import { describe, expect, test } from "vitest";
import { ask, edit, type ProxyOptions, respond, startProxy } from "../../src/mod.ts";
import { type OriginHandler, startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { streamOf } from "../rules/pass.ts";
import { requestTo } from "../wire/http1_client.ts";

/** A server that pushes one line, and the second only when the client has the first. */
async function pushing(options: ProxyOptions, check: (head: string, rest: string, late: string[]) => void) {
  const go = Promise.withResolvers<void>();
  const handler: OriginHandler = () => ({
    headers: [["Content-Type", "text/plain"]],
    body: (async function* () {
      yield "first\n";
      await go.promise;
      yield "second\n";
    })(),
  });
  await using origin = await startOrigin(handler);
  const late: string[] = [];
  await using proxy = await startProxy({
    addons: [{ response: (flow) => void late.push(flow.response!.text()) }],
    forwardChunked: true,
    ...options,
  });
  await using client = await connectRaw(proxy.port);
  await client.write(requestTo(`${origin.url}/push`));
  if (options.defaultAction !== undefined) (await proxy.nextPaused()).forward({ headers: { "x-asked": "yes" } });
  const head = await client.readUntil("first\n");
  expect(late).toEqual([]);
  go.resolve();
  const rest = await client.readUntil("0\r\n\r\n");
  await proxy.waitFor("/push");
  check(head, rest, late);
}

describe("forwardChunked", () => {
  test("a response hook sees the body when it has passed", () =>
    pushing({}, (_, rest, late) => {
      expect(rest).toContain("second");
      expect(late).toEqual(["first\nsecond\n"]);
    }));

  test("rules change status and headers; a changed body comes too late", () =>
    pushing({ rules: [[() => true, edit({ response: { status: 203, headers: { "x-edited": "yes" } } })]] }, (head) => {
      expect(head).toMatch(/^HTTP\/1\.1 203 /);
      expect(head).toContain("x-edited: yes");
    }));

  test("an editor of the whole does not hold it back", () =>
    pushing({ rules: [[() => true, edit({ response: () => ({ headers: { "x-late": "yes" } }) })]] }, (head, rest) => {
      expect(head + rest).not.toContain("x-late");
      expect(rest).toContain("second");
    }));

  test("a breakpoint waits at the head", () =>
    pushing({ defaultAction: ask({ on: "response" }) }, (head) => expect(head).toContain("x-asked: yes")));

  test("a response whose length is known waits as ever", async () => {
    await using origin = await startOrigin(() => ({ body: "whole" }));
    await using proxy = await startProxy({
      forwardChunked: true,
      rules: [[() => true, edit({ response: { body: "edited" } })]],
    });
    expect(await (await proxy.fetch(origin.url)).text()).toBe("edited");
  });

  test("streams of rules too", async () => {
    await using proxy = await startProxy({
      forwardChunked: true,
      addons: [{ response: (flow) => void (flow.response!.body = "too late") }],
      rules: [[
        "/s",
        respond(() => new Response(streamOf("a", "b"))),
      ]],
    });
    expect(await (await proxy.fetch("http://a.test/s")).text()).toBe("ab");
  });

  test("without it a response hook waits for the whole", async () => {
    await using origin = await startOrigin(() => ({
      body: (async function* () {
        yield "a";
        yield "b";
      })(),
    }));
    await using proxy = await startProxy({ addons: [{ response: (flow) => void (flow.response!.body = "edited") }] });
    expect(await (await proxy.fetch(origin.url)).text()).toBe("edited");
  });
});
