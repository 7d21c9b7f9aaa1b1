import { graphql as graphql3 } from "msw/graphql";
import { graphql as graphql2 } from "msw2";
import { describe, expect, test } from "vitest";
import { RuleEngine, startProxy } from "../../../src/mod.ts";
import { closed, openPeer } from "../../wire/websocket/peers.ts";
import { pass } from "../pass.ts";
import { VERSIONS } from "./versions.ts";

const graphqls = [graphql3, graphql2 as unknown as typeof graphql3];

describe.each(VERSIONS.map((version, i) => [...version, graphqls[i]!] as const))("%s: graphql", (_, msw, graphql) => {
  const { HttpResponse } = msw;
  const api = graphql.link("https://api.test/graphql");

  const ask = (query: string, variables?: object) => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });

  test("queries and mutations by their names, with variables and errors", async () => {
    await using proxy = await startProxy({
      rules: [
        api.query("GetUser", ({ variables }) => HttpResponse.json({ data: { user: { id: variables.id } } })),
        api.mutation("Fail", () => HttpResponse.json({ errors: [{ message: "no" }] })),
      ],
    });
    const send = async (query: string, variables?: object) =>
      await (await proxy.fetch("https://api.test/graphql", ask(query, variables))).json();
    expect(await send("query GetUser($id: ID!) { user(id: $id) { id } }", { id: "7" })).toEqual({
      data: { user: { id: "7" } },
    });
    expect(await send("mutation Fail { fail }")).toEqual({ errors: [{ message: "no" }] });
  });

  test("by GET, and any operation", async () => {
    await using proxy = await startProxy({
      rules: [
        api.query("ByGet", () => HttpResponse.json({ data: { by: "get" } })),
        api.operation(({ query }) => HttpResponse.json({ data: { query } })),
      ],
    });
    const query = encodeURIComponent("query ByGet { by }");
    expect(await (await proxy.fetch(`https://api.test/graphql?query=${query}`)).json()).toEqual({
      data: { by: "get" },
    });
    const other = await proxy.fetch("https://api.test/graphql", ask("query Other { a }"));
    expect(await other.json()).toEqual({ data: { query: "query Other { a }" } });
  });

  test.each([
    ["POST", "https://api.test/graphql", true],
    ["PUT", "https://api.test/graphql", false],
    ["POST", "https://api.test/other", false],
    ["POST", "https://other.test/graphql", false],
  ])("%s %s: its body is waited for: %s", async (method, url, waits) => {
    const engine = new RuleEngine({ rules: [api.operation(() => HttpResponse.json({ data: null }))] });
    const { hooks } = await pass(engine, { ...ask("query A { a }"), method, url });
    expect(hooks.includes("request")).toBe(waits);
  });
});

describe("MSW 3: graphql.subscription()", () => {
  test("operation() has subscriptions too, by the handlers that come with it", async () => {
    const asked: unknown[] = [];
    const handler = graphql3.link("http://api.test/graphql").operation(({ operationName }) => {
      asked.push(operationName);
    });
    await using proxy = await startProxy({ rules: [handler] });
    await using peer = await openPeer(proxy, "ws://api.test/graphql", [
      "Sec-WebSocket-Protocol: graphql-transport-ws",
    ]);
    const say = (message: object) => peer.send({ opcode: "text", payload: JSON.stringify(message) });
    await say({ type: "connection_init" });
    expect(JSON.parse((await peer.frame()).payload.toString())).toEqual({ type: "connection_ack" });
    await say({ type: "subscribe", id: "1", payload: { query: "subscription OnPost { post { id } }" } });
    await expect.poll(() => asked).toEqual(["OnPost"]);
    await closed(peer);
  });

  test("over a WebSocket with graphql-transport-ws", async () => {
    const api = graphql3.link("http://api.test/graphql");
    const handler = api.subscription("OnPost", ({ subscription }) => {
      subscription.publish({ data: { post: { id: 1 } } });
      subscription.complete();
    });
    await using proxy = await startProxy({ rules: [handler as never] });
    const fields = ["Sec-WebSocket-Protocol: graphql-transport-ws"];
    await using peer = await openPeer(proxy, "ws://api.test/graphql", fields);
    const say = (message: object) => peer.send({ opcode: "text", payload: JSON.stringify(message) });
    const hear = async () => JSON.parse((await peer.frame()).payload.toString());
    await say({ type: "connection_init" });
    expect(await hear()).toEqual({ type: "connection_ack" });
    await say({ type: "subscribe", id: "1", payload: { query: "subscription OnPost { post { id } }" } });
    expect(await hear()).toEqual({ type: "next", id: "1", payload: { data: { post: { id: 1 } } } });
    expect(await hear()).toEqual({ type: "complete", id: "1" });
    await closed(peer);
  });
});
