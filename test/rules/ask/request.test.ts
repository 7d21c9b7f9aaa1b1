// A breakpoint on requests: the flow waits, the test decides.
import { describe, expect, test } from "vitest";
import { ask, delay, type FlowtapeError, OptionsError, respond, startProxy, times } from "../../../src/mod.ts";
import { startOrigin } from "../../support/origin.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { exchange, PATIENTLY, requestTo } from "../../wire/http1_client.ts";

/** An origin that says what it was asked, and a proxy that asks about every request. */
async function asking(options: Parameters<typeof startProxy>[0] = {}) {
  const origin = await startOrigin(({ method, target, ...request }) => ({
    body: `${method} ${target} ${request.text()} ${request.header("x-edited") ?? ""}`.trim(),
  }));
  const proxy = await startProxy({ rules: [[() => true, "ask"]], ...options });
  return {
    origin,
    proxy,
    send: (path: string, body?: string) =>
      exchange(proxy.port, requestTo(`${origin.url}${path}`, body === undefined ? {} : { method: "POST", body })),
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await origin[Symbol.asyncDispose]();
    },
  };
}

const codeOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return (error as FlowtapeError).code;
  }
};

describe("a request that is asked about", () => {
  test("waits with its whole body, and goes on as it is", async () => {
    await using it = await asking();
    const answer = it.send("/a", "qty=2");
    const paused = await it.proxy.nextPaused();
    expect(paused.phase).toBe("request");
    expect(paused.flow.request.text()).toBe("qty=2");
    expect(paused.waiting).toBe(true);
    expect(it.origin.requests).toEqual([]);
    paused.forward();
    expect(paused.waiting).toBe(false);
    expect((await answer).text).toBe("POST /a qty=2");
  });

  test("goes on with edits", async () => {
    await using it = await asking();
    const answer = it.send("/a?x=1", "qty=2");
    const paused = await it.proxy.nextPaused();
    paused.flow.request.query.set("y", "2");
    paused.forward({ path: "/b", headers: { "x-edited": "yes" }, json: { qty: 3 } });
    expect((await answer).text).toBe('POST /b?x=1&y=2 {"qty":3} yes');
  });

  test("is answered", async () => {
    await using it = await asking();
    const answer = it.send("/a");
    (await it.proxy.nextPaused()).respond({ status: 503, json: { error: "busy" } });
    expect(await answer).toMatchObject({ status: 503, text: '{"error":"busy"}' });
    expect(it.proxy.flows.first()?.source).toBe("rule");
    expect(it.origin.requests).toEqual([]);
  });

  test("is answered with a platform Response", async () => {
    await using it = await asking();
    const answer = it.send("/a");
    (await it.proxy.nextPaused()).respond(new Response("made", { status: 201 }));
    expect(await answer).toMatchObject({ status: 201, text: "made" });
  });

  test("is dropped", async () => {
    await using it = await asking();
    await using client = await connectRaw(it.proxy.port);
    await client.write(requestTo(`${it.origin.url}/a`));
    (await it.proxy.nextPaused()).drop();
    await client.closed;
    expect(client.received.length).toBe(0);
    expect(it.proxy.flows.first()?.error?.code).toBe("DROPPED");
  });

  test("does not hold back others, not even on the same connection of HTTP/1.1's next in line", async () => {
    await using it = await asking({ rules: [["/held", "ask"]] });
    const held = it.send("/held");
    const paused = await it.proxy.nextPaused();
    expect((await it.send("/free")).text).toBe("GET /free");
    paused.forward();
    expect((await held).text).toBe("GET /held");
  });

  test("as the default action", async () => {
    await using it = await asking({ rules: [["/known", respond({ body: "known" })]], defaultAction: "ask" });
    expect((await it.send("/known")).text).toBe("known");
    const answer = it.send("/unknown");
    (await it.proxy.nextPaused()).respond("asked");
    expect((await answer).text).toBe("asked");
  });

  test("within other actions", async () => {
    await using it = await asking({ rules: [["/a", times(1, delay(1, ask()))]] });
    const answer = it.send("/a");
    (await it.proxy.nextPaused()).respond("asked");
    expect((await answer).text).toBe("asked");
    expect((await it.send("/a")).text).toBe("GET /a");
  });

  test("at its head, with a body that streams afterwards", async () => {
    await using it = await asking({ rules: [["/up", ask({ body: false })]] });
    await using client = await connectRaw(it.proxy.port);
    await client.write(requestTo(`${it.origin.url}/up`, { method: "POST", fields: ["Content-Length: 5"] }));
    const paused = await it.proxy.nextPaused();
    expect(codeOf(() => paused.flow.request.body)).toBe("BODY_INCOMPLETE");
    paused.forward({ headers: { "x-edited": "yes" } });
    await client.write("hello");
    expect(await client.readUntil("yes")).toContain("POST /up hello yes");
  });

  test("at its head, with another body", async () => {
    await using it = await asking({ rules: [["/up", ask({ body: false })]] });
    await using client = await connectRaw(it.proxy.port);
    await client.write(requestTo(`${it.origin.url}/up`, { method: "POST", fields: ["Content-Length: 5"] }));
    (await it.proxy.nextPaused()).forward({ body: "other" });
    await client.write("hello");
    expect(await client.readUntil("other")).toContain("POST /up other");
  });
});

describe("what the test may say", () => {
  test("an edit or response of the wrong form is refused, and the flow waits on", async () => {
    await using it = await asking();
    const answer = it.send("/a");
    const paused = await it.proxy.nextPaused();
    expect(() => paused.forward({ status: 404 })).toThrow(/the edit of a request does not know "status"/);
    expect(() => paused.forward({ url: "nowhere" })).toThrow();
    expect(() => paused.respond({ stauts: 404 } as never)).toThrow(/did you mean "status"/);
    expect(() => paused.respond({ status: 42 })).toThrow();
    expect(() => paused.link()).toThrow(/link\(\) is for a CONNECT, and this is the request of GET/);
    expect(paused.waiting).toBe(true);
    paused.respond({ status: 204 });
    expect((await answer).status).toBe(204);
  });

  test("a second decision is an error that says so", async () => {
    await using it = await asking();
    const answer = it.send("/a?token=s3cret");
    const paused = await it.proxy.nextPaused();
    paused.forward();
    expect(() => paused.drop()).toThrow(
      /drop\(\) came too late: the request of GET .*\/a\?token=\[redacted\] was already forwarded/,
    );
    for (const again of [() => paused.forward(), () => paused.respond("x"), () => paused.continueAll()]) {
      expect(codeOf(again)).toBe("PAUSED_DECIDED");
    }
    expect((await answer).text).toBe("GET /a?token=s3cret");
  });

  test("a file that is not there fails its flow, and the test", async () => {
    const origin = await startOrigin();
    const proxy = await startProxy({ rules: [[() => true, "ask"]] });
    const answer = exchange(proxy.port, requestTo(`${origin.url}/a`));
    (await proxy.nextPaused()).respond({ file: "/does/not/exist" });
    expect((await answer).status).toBe(502);
    await expect(proxy.close()).rejects.toThrow(/rules\[0\]/);
    await origin[Symbol.asyncDispose]();
  });

  test("ask() and nextPaused() refuse what they do not know", async () => {
    expect(() => ask({ on: "requests" as never })).toThrow(OptionsError);
    expect(() => ask({ on: [] })).toThrow(/one or some of "connect", "request", "response"/);
    expect(() => ask({ boddy: true } as never)).toThrow(/did you mean "body"/);
    expect(() => ask({ body: 1 as never })).toThrow(OptionsError);
    await using proxy = await startProxy();
    await expect(proxy.nextPaused(undefined, { timeout: -1 })).rejects.toThrow(OptionsError);
    await expect(proxy.nextPaused(undefined, { phase: "tunnel" as never })).rejects.toThrow(OptionsError);
    await expect(proxy.nextPaused({ hots: "a" } as never)).rejects.toThrow(OptionsError);
  });
});

describe("a client that hangs up while its flow is paused", () => {
  test("before it is taken: nextPaused() gives the next one", async () => {
    await using it = await asking();
    {
      await using client = await connectRaw(it.proxy.port);
      await client.write(requestTo(`${it.origin.url}/gone`));
      await expect.poll(() => it.proxy.flows.length, PATIENTLY).toBe(1);
    }
    await it.proxy.waitFor("/gone");
    const answer = it.send("/stays");
    const paused = await it.proxy.nextPaused();
    expect(paused.flow.request.path).toBe("/stays");
    paused.respond("here");
    expect((await answer).text).toBe("here");
  });

  test("after it was taken: a decision says so", async () => {
    await using it = await asking();
    const client = await connectRaw(it.proxy.port);
    await client.write(requestTo(`${it.origin.url}/gone`));
    const paused = await it.proxy.nextPaused();
    client.reset();
    await client.closed;
    await it.proxy.waitFor("/gone");
    expect(paused.waiting).toBe(false);
    expect(() => paused.forward()).toThrow(
      /forward\(\) came too late: the request of GET .*\/gone is gone \(CLIENT_ABORTED/,
    );
    expect(codeOf(() => paused.drop())).toBe("PAUSED_GONE");
    expect(it.origin.requests).toEqual([]);
  });

  test("flow.kill() does the same", async () => {
    await using it = await asking();
    await using client = await connectRaw(it.proxy.port);
    await client.write(requestTo(`${it.origin.url}/a`));
    const paused = await it.proxy.nextPaused();
    paused.flow.kill();
    await client.closed;
    expect(codeOf(() => paused.forward())).toBe("PAUSED_GONE");
  });
});
