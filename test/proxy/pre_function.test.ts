// The option preFunction: called before the rules, with every request that is complete.
import { describe, expect, test } from "vitest";
import { FlowResponse, type HttpFlow, OptionsError, respond, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { tempFolder } from "../support/temp.ts";
import { exchange, requestTo } from "../wire/http1_client.ts";

const send = (port: number, path: string, body?: string) =>
  exchange(port, requestTo(`http://a.test${path}`, body === undefined ? {} : { method: "POST", body }));

describe("preFunction", () => {
  test("sees each request whole, before the rules, and rules see what it has left", async () => {
    const seen: string[] = [];
    await using proxy = await startProxy({
      preFunction(flow) {
        seen.push(`${flow.request.method} ${flow.request.path} ${flow.request.text()}`);
        if (flow.request.path === "/old") flow.request.path = "/new";
      },
      rules: [["/new", respond({ body: "new" })], ["/old", respond({ body: "old" })]],
      defaultAction: respond({ body: "default" }),
    });
    expect((await send(proxy.port, "/old", "qty=2")).text).toBe("new");
    expect((await send(proxy.port, "/other")).text).toBe("default");
    expect(seen).toEqual(["POST /old qty=2", "GET /other "]);
  });

  test("may be async, hold back its flow alone, and answer", async () => {
    const wait = Promise.withResolvers<void>();
    await using proxy = await startProxy({
      async preFunction(flow) {
        if (flow.request.path === "/slow") await wait.promise;
        if (flow.request.path === "/own") flow.response = FlowResponse.create({ status: 201 });
      },
      defaultAction: respond({ status: 202 }),
    });
    const slow = send(proxy.port, "/slow");
    expect((await send(proxy.port, "/own")).status).toBe(201);
    expect((await send(proxy.port, "/quick")).status).toBe(202);
    wait.resolve();
    expect((await slow).status).toBe(202);
  });

  test("comes after the addons and before the tape", async () => {
    await using folder = await tempFolder();
    await using origin = await startOrigin(({ target }) => ({ body: `recorded ${target}` }));
    const tape = { path: `${folder.path}/a.har`, mode: "record" as const };
    await using recording = await startProxy({ tape });
    await exchange(recording.port, requestTo(`${origin.url}/new`));
    await recording.close();
    const order: string[] = [];
    await using proxy = await startProxy({
      tape: { ...tape, mode: "replay" },
      addons: [{ request: () => void order.push("addon") }],
      preFunction(flow) {
        order.push("preFunction");
        flow.request.path = "/new";
      },
    });
    expect((await exchange(proxy.port, requestTo(`${origin.url}/old`))).text).toBe("recorded /new");
    expect(order).toEqual(["addon", "preFunction"]);
  });

  test.each([
    ["throws", () => {
      throw new Error("broken on purpose");
    }],
    ["rejects", () => Promise.reject(new Error("broken on purpose"))],
  ])("what it %s fails its flow and the test, under its name", async (_, preFunction) => {
    const proxy = await startProxy({ preFunction, defaultAction: respond({ status: 202 }) });
    expect((await send(proxy.port, "/a")).status).toBe(502);
    await expect(proxy.close()).rejects.toThrow(
      'hook request of addon "preFunction" threw for GET http://a.test/a: broken on purpose',
    );
  });

  test("one that never ends does not keep the proxy from closing", async () => {
    const began = Promise.withResolvers<void>();
    const proxy = await startProxy({
      preFunction() {
        began.resolve();
        return new Promise(() => {});
      },
    });
    const answer = send(proxy.port, "/a").catch(() => "cut");
    await began.promise;
    await proxy.close();
    expect(await answer).toBe("cut");
  });

  test("it and its like may come while the proxy is open", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ status: 202 }) });
    expect((await send(proxy.port, "/a")).header("connection")).toBeUndefined();
    await proxy.configure({
      preFunction: (flow) => void (flow.request.path = "/changed"),
      alerter: (flow) => [`saw ${flow.request.path}`],
      persistent: false,
    });
    expect((await send(proxy.port, "/a")).header("connection")).toBe("close");
    expect((proxy.flows.last() as HttpFlow).alerts).toEqual(["saw /changed"]);
    await proxy.configure({ preFunction: undefined, persistent: true });
    expect((await send(proxy.port, "/b")).header("connection")).toBeUndefined();
    expect((proxy.flows.last() as HttpFlow).alerts).toEqual(["saw /b"]);
  });

  test("is not called for CONNECT, and is no function of another kind", async () => {
    const seen: HttpFlow[] = [];
    await using proxy = await startProxy({
      preFunction: (flow) => void seen.push(flow),
      rules: [[() => true, respond({ body: "rule" })]],
    });
    expect(await (await proxy.fetch("https://a.test/")).text()).toBe("rule");
    expect(seen.map(({ request }) => request.method)).toEqual(["GET"]);
    await expect(startProxy({ preFunction: "fn" as never })).rejects.toThrow(OptionsError);
  });
});
