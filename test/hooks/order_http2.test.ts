// The order of hooks when the flows are streams of one HTTP/2 connection, under way together: each has its own, whatever the others do.
import { expect, test } from "vitest";
import { type Addon, type HookName, type HttpFlow, respond } from "../../src/mod.ts";
import { type ClientRequestOrder, nodeClient, proxyOf, startNodeOrigin } from "../wire/http2/peers.ts";
import { endings, record } from "./recorder.ts";

const WHOLE = ["requestHeaders", "request", "responseHeaders", "response"];

/** What a stream does, what an addon before and one behind the acting one hear, and how it fails. */
interface Stream extends Partial<ClientRequestOrder> {
  path: string;
  first: readonly string[];
  last?: readonly string[];
  error?: string;
}

const STREAMS: Record<string, Stream> = {
  "a whole exchange": { path: "/echo", first: WHOLE },
  "informational responses": {
    path: "/early",
    first: ["requestHeaders", "request", "informational", "informational", "responseHeaders", "response"],
  },
  "a response that streams": { path: "/download/300000?stream", first: WHOLE },
  "a rule answers": { path: "/mocked", first: ["requestHeaders", "responseHeaders", "response"] },
  "a rule drops": { path: "/dropped", first: ["requestHeaders", "error"], error: "DROPPED" },
  "the server resets": { path: "/reset/8", first: ["requestHeaders", "request", "error"], error: "UPSTREAM_RESET" },
  "the client resets while the server thinks": {
    path: "/hang",
    resetUnanswered: 8,
    first: ["requestHeaders", "request", "error"],
    error: "CLIENT_ABORTED",
  },
  "the client resets while the response streams": {
    path: "/download/50000000?stream&reset",
    reset: 8,
    first: ["requestHeaders", "request", "responseHeaders", "error"],
    error: "CLIENT_ABORTED",
  },
  ...Object.fromEntries(WHOLE.flatMap((hook, i): [string, Stream][] => [
    [`kill() in ${hook}`, {
      path: `/echo?kill=${hook}`,
      first: hook === "response" ? WHOLE : [...WHOLE.slice(0, i + 1), "error"],
      last: [...WHOLE.slice(0, i), "error"],
      error: "KILLED",
    }],
    [`${hook} throws`, {
      path: `/echo?throw=${hook}`,
      first: hook === "response" ? WHOLE : [...WHOLE.slice(0, i + 1), "error"],
      last: [...WHOLE.slice(0, i), "error"],
      error: "HOOK_FAILED",
    }],
  ])),
};

test("streams of one connection", async () => {
  await using origin = await startNodeOrigin();
  const [first, last] = [record(), record()];
  const actor: Record<string, unknown> = { name: "actor" };
  for (const hook of WHOLE as HookName[]) {
    actor[hook] = (flow: HttpFlow) => {
      const { query } = flow.request;
      if (hook === "responseHeaders" && query.has("stream")) flow.response!.stream = true;
      if (query.get("kill") === hook) flow.kill();
      if (query.get("throw") === hook) throw new Error("on purpose");
    };
  }
  const proxy = await proxyOf(origin, {
    addons: [first.addon, actor as Addon, last.addon],
    rules: [["/mocked", respond({ body: "x" })], ["/dropped", "drop"]],
  });
  const orders = Object.values(STREAMS).map(({ path, reset, resetUnanswered }): ClientRequestOrder => ({
    path,
    method: "POST",
    body: "hello",
    ...(reset === undefined ? {} : { reset }),
    ...(resetUnanswered === undefined ? {} : { resetUnanswered }),
  }));
  await nodeClient(proxy, orders);
  await expect.poll(() => [...proxy.flows].filter(({ done }) => done).length).toBe(orders.length);
  await proxy.close().catch(() => {});

  for (const [name, { path, first: before, last: behind = before, error }] of Object.entries(STREAMS)) {
    const flow = [...proxy.flows].find((it) => (it as HttpFlow).request.url.endsWith(path)) as HttpFlow;
    const [one, other] = [first.seen.get(flow)!, last.seen.get(flow)!];
    expect([name, flow.request.httpVersion, flow.error?.code]).toEqual([name, "2", error]);
    expect([name, one, other]).toEqual([name, before, behind]);
    expect([name, endings(one), endings(other)]).toEqual([name, 1, 1]);
  }
});
