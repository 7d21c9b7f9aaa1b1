import { describe, expect, test } from "vitest";
import { type HttpFlow, startProxy } from "../../../src/mod.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { startOrigin } from "../../support/origin.ts";
import { PATIENTLY } from "../../wire/http1_client.ts";
import { VERSIONS } from "./versions.ts";

const ASK = "GET http://news.test/events HTTP/1.1\r\nHost: news.test\r\nAccept: text/event-stream\r\n\r\n";

describe.each(VERSIONS)("%s: sse", (_, { sse, http, HttpResponse }) => {
  test("events are sent when they are made", async () => {
    const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const handler = sse<{ message: string; stock: { left: number } }>("http://news.test/events", async ({ client }) => {
      client.send({ id: "7", data: "first" });
      void steps[0]!.promise.then(() => client.send({ event: "stock", data: { left: 3 } }));
      void steps[1]!.promise.then(() => {
        client.send({ retry: 500 });
        client.send({ data: "a\nb" });
        client.close();
      });
      await Promise.resolve();
    });
    await using proxy = await startProxy({ rules: [handler] });
    await using raw = await connectRaw(proxy.port);
    await raw.write(ASK);
    const head = await raw.readHead();
    expect(head).toMatch(/^HTTP\/1.1 200 /);
    expect(head).toContain("content-type: text/event-stream\r\n");
    expect(await raw.readUntil("\n\n")).toContain("id:7\ndata:first\n\n");
    steps[0]!.resolve();
    expect(await raw.readUntil("\n\n")).toContain('event:stock\ndata:{"left":3}\n\n');
    steps[1]!.resolve();
    expect(await raw.readUntil("\n\n")).toContain("retry:500\n\n");
    expect(await raw.readUntil("0\r\n\r\n")).toContain("data:a\ndata:b\n\n");
    expect(proxy.flows.length).toBe(1);
    expect((proxy.flows.first() as HttpFlow).source).toBe("rule");
  });

  test("error() cuts the connection", async () => {
    const handler = sse("http://news.test/events", ({ client }) => {
      client.send({ data: "last" });
      queueMicrotask(() => client.error());
    });
    const proxy = await startProxy({ rules: [handler] });
    await using raw = await connectRaw(proxy.port);
    await raw.write(ASK);
    await raw.closed;
    expect(new TextDecoder().decode(raw.received)).not.toContain("0\r\n\r\n");
    await expect.poll(() => (proxy.flows.first() as HttpFlow).done, PATIENTLY).toBe(true);
    expect((proxy.flows.first() as HttpFlow).error?.code).toBe("HOOK_FAILED");
    await proxy.close();
  });

  test("a client that hangs up aborts the request that the resolver has", async () => {
    let aborted = false;
    const handler = sse("http://news.test/events", ({ client, request }) => {
      request.signal.addEventListener("abort", () => aborted = true);
      client.send({ data: "1" });
    });
    await using proxy = await startProxy({ rules: [handler] });
    const raw = await connectRaw(proxy.port);
    await raw.write(ASK);
    await raw.readUntil("data:1");
    raw.reset();
    await expect.poll(() => aborted, PATIENTLY).toBe(true);
    await raw[Symbol.asyncDispose]();
  });

  test("what does not ask for events is left to others", async () => {
    const handler = sse("http://news.test/events", ({ client }) => client.close());
    await using proxy = await startProxy({ rules: [handler, http.get("*", () => HttpResponse.text("page"))] });
    expect(await (await proxy.fetch("http://news.test/events")).text()).toBe("page");
  });

  test("server.connect() listens to the real server: events are forwarded, unless it is prevented", async () => {
    await using origin = await startOrigin(() => ({
      headers: [["content-type", "text/event-stream"]],
      body: "data: one\n\nevent: other\ndata: two\n\ndata: secret\n\ndata: three\n\n",
    }));
    const handler = sse(`${origin.url}/events`, ({ client, server }) => {
      const source = server.connect();
      source.addEventListener("message", (event) => {
        if (event.data === "secret") event.preventDefault();
        if (event.data !== "three") return;
        source.close();
        queueMicrotask(() => queueMicrotask(() => client.close()));
      });
      source.addEventListener("other", () => {});
    });
    await using proxy = await startProxy({ rules: [handler] });
    await using raw = await connectRaw(proxy.port);
    const { host } = new URL(origin.url);
    await raw.write(ASK.replaceAll("news.test", host));
    const body = await raw.readUntil("0\r\n\r\n");
    expect(body).toContain("data:one\n\n");
    expect(body).toContain("event:other\ndata:two\n\n");
    expect(body).toContain("data:three\n\n");
    expect(body).not.toContain("secret");
  });
});
