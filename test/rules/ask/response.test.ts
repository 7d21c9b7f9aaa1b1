// A breakpoint on responses, wherever they come from, and on bodies that have no end.
import { describe, expect, test } from "vitest";
import { ask, type HttpFlow, type Proxy, respond, startProxy } from "../../../src/mod.ts";
import { type Origin, type OriginHandler, startOrigin } from "../../support/origin.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { tempFolder } from "../../support/temp.ts";
import { exchange, PATIENTLY, requestTo } from "../../wire/http1_client.ts";

const RESPONSE = ask({ on: "response" });

async function served(
  handler: OriginHandler,
  use: (it: { proxy: Proxy; origin: Origin; send: (path: string) => ReturnType<typeof exchange> }) => Promise<void>,
  options: Parameters<typeof startProxy>[0] = { rules: [[() => true, RESPONSE]] },
): Promise<void> {
  await using origin = await startOrigin(handler);
  await using proxy = await startProxy(options);
  await use({ proxy, origin, send: (path) => exchange(proxy.port, requestTo(`${origin.url}${path}`)) });
}

describe("a response that is asked about", () => {
  const handler: OriginHandler = ({ target }) => ({ headers: [["X-Made", "yes"]], body: `answer to ${target}` });

  test("waits with its whole body; the request does not", () =>
    served(handler, async ({ proxy, origin, send }) => {
      const answer = send("/a");
      const paused = await proxy.nextPaused({ status: 200 });
      expect(paused.phase).toBe("response");
      expect(paused.flow.response?.text()).toBe("answer to /a");
      expect(origin.requests.length).toBe(1);
      paused.forward();
      expect((await answer).text).toBe("answer to /a");
    }));

  test("goes on with edits", () =>
    served(handler, async ({ proxy, send }) => {
      const answer = send("/a");
      const paused = await proxy.nextPaused();
      expect(() => paused.forward({ method: "POST" })).toThrow(/the edit of a response does not know "method"/);
      paused.forward({ status: 404, headers: { "x-made": null }, body: "edited" });
      const { status, text, header } = await answer;
      expect([status, text, header("x-made")]).toEqual([404, "edited", undefined]);
      expect((proxy.flows.first() as HttpFlow).original?.text()).toBe("answer to /a");
    }));

  test("is replaced, or dropped", () =>
    served(handler, async ({ proxy, send }) => {
      const answer = send("/a");
      (await proxy.nextPaused()).respond({ status: 418, body: "teapot" });
      expect(await answer).toMatchObject({ status: 418, text: "teapot" });
      const dropped = send("/b").catch(() => "cut");
      (await proxy.nextPaused()).drop();
      expect(await dropped).toBe("cut");
    }));

  test("after its request, which was asked about too", () =>
    served(handler, async ({ proxy, send }) => {
      const answer = send("/a");
      (await proxy.nextPaused("/a", { phase: "request" })).forward({ path: "/b" });
      (await proxy.nextPaused("/b", { phase: "response" })).forward({ status: 201 });
      expect(await answer).toMatchObject({ status: 201, text: "answer to /b" });
      // What the test has said itself it is not asked about.
      const own = send("/c");
      (await proxy.nextPaused()).respond("own");
      expect((await own).text).toBe("own");
    }, { rules: [[() => true, ask({ on: ["response", "request"] })]] }));

  test("at its head, when the body is not wanted", () =>
    served(
      () => ({
        body: (async function* () {
          yield "first ";
          yield "second";
        })(),
      }),
      async ({ proxy, send }) => {
        const answer = send("/a");
        const paused = await proxy.nextPaused();
        expect(() => paused.flow.response!.body).toThrow();
        paused.forward({ headers: { "x-edited": "1" } });
        const { text, header } = await answer;
        expect([text, header("x-edited")]).toEqual(["first second", "1"]);
      },
      { rules: [[() => true, ask({ on: "response", body: false })]] },
    ));

  test("without a body", () =>
    served(() => ({ status: 204 }), async ({ proxy, send }) => {
      const answer = send("/a");
      (await proxy.nextPaused()).forward({ headers: { "x-edited": "1" } });
      expect((await answer).header("x-edited")).toBe("1");
    }));

  test("holds back no other", () =>
    served(handler, async ({ proxy, send }) => {
      const held = send("/a");
      const paused = await proxy.nextPaused();
      const others = await Promise.all(Array.from({ length: 10 }, (_, i) => {
        const answer = send(`/${i}`);
        return proxy.nextPaused(`/${i}`).then((other) => other.forward()).then(() => answer);
      }));
      expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
      paused.forward();
      await held;
    }));

  test("a client that hangs up is gone", () =>
    served(handler, async ({ proxy, origin }) => {
      const client = await connectRaw(proxy.port);
      await client.write(requestTo(`${origin.url}/a`));
      const paused = await proxy.nextPaused();
      client.reset();
      await proxy.waitFor("/a");
      expect(paused.waiting).toBe(false);
      expect(() => paused.forward()).toThrow("is gone (CLIENT_ABORTED");
    }));
});

test("server-sent events are asked about at the head, and stream", async () => {
  const more = Promise.withResolvers<void>();
  await served(
    () => ({
      headers: [["Content-Type", "text/event-stream"]],
      body: (async function* () {
        yield "data: first\n\n";
        await more.promise;
        yield "data: second\n\n";
      })(),
    }),
    async ({ proxy, origin }) => {
      await using client = await connectRaw(proxy.port);
      await client.write(requestTo(`${origin.url}/events`));
      const paused = await proxy.nextPaused();
      expect(paused.phase).toBe("response");
      paused.forward({ headers: { "x-edited": "1" } });
      expect(await client.readUntil("data: first\n\n")).toContain("x-edited: 1");
      more.resolve();
      await client.readUntil("data: second\n\n");
    },
  );
});

test("a body longer than is kept waits with its beginning, and passes whole", async () => {
  await served(() => ({ body: "x".repeat(200_000) }), async ({ proxy, send }) => {
    const answer = send("/long");
    const paused = await proxy.nextPaused();
    expect(paused.flow.response?.bodyTruncated).toBe(true);
    paused.forward();
    expect((await answer).text.length).toBe(200_000);
  }, { rules: [[() => true, RESPONSE]], capture: { maxBody: 1000 } });
});

describe("with a tape behind it", () => {
  test("what is asked about goes before the tape, and the tape answers what is forwarded", async () => {
    await using folder = await tempFolder();
    const path = `${folder.path}/a.har`;
    await served(({ target }) => ({ body: `recorded ${target}` }), async ({ proxy, origin, send }) => {
      const answer = send("/a");
      const paused = await proxy.nextPaused();
      paused.forward({ body: "what the client got" });
      expect((await answer).text).toBe("what the client got");
      await proxy.close();

      await using replayed = await startProxy({
        tape: { path, mode: "replay" },
        rules: [["/a", ask({ on: ["request", "response"] })]],
      });
      const first = exchange(replayed.port, requestTo(`${origin.url}/a`));
      const request = await replayed.nextPaused();
      expect(request.flow.source).toBe("upstream");
      request.forward();
      const response = await replayed.nextPaused("/a", { phase: "response" });
      expect([response.flow.source, response.flow.response?.text()]).toEqual(["tape", "recorded /a"]);
      response.forward({ status: 203 });
      expect(await first).toMatchObject({ status: 203, text: "recorded /a" });
      const second = exchange(replayed.port, requestTo(`${origin.url}/a`));
      (await replayed.nextPaused()).respond("from the test");
      expect((await second).text).toBe("from the test");
    }, { tape: { path, mode: "record" }, rules: [["/a", RESPONSE]] });
  });
});

test("closing in the middle of everything leaves nothing open", async () => {
  await using origin = await startOrigin();
  const proxy = await startProxy({
    rules: [["/r", respond({ body: "rule" })], [() => true, ask({ on: ["request", "response"] })]],
  });
  const answers = Array.from({ length: 20 }, (_, i) => exchange(proxy.port, requestTo(`${origin.url}/${i}`)));
  await expect.poll(() => proxy.flows.length, PATIENTLY).toBe(20);
  for (let i = 0; i < 5; i++) (await proxy.nextPaused(undefined, { phase: "request" })).forward();
  await expect(proxy.close()).rejects.toMatchObject({ code: "PAUSED_UNANSWERED" });
  for (const answer of answers) expect((await answer).text).toBe("ok");
});
