// Breakpoints on HTTP/2 and on WebSocket handshakes.
import { expect, test } from "vitest";
import { ask, startProxy } from "../../../src/mod.ts";
import { run } from "../../support/run.ts";
import { runtimePath, RUNTIMES } from "../../support/runtime.ts";
import { nodeClient, proxyOf, startNodeOrigin } from "../../wire/http2/peers.ts";
import { startBunEcho } from "../../wire/websocket/bun_server.ts";

test("streams of HTTP/2 wait apart from each other, in both directions", async () => {
  await using origin = await startNodeOrigin();
  await using proxy = await proxyOf(origin, { rules: [[/echo\?held/, ask({ on: ["request", "response"] })]] });
  const results = nodeClient(proxy, [
    { path: "/echo?held=1", method: "POST", body: "one" },
    { path: "/echo?held=2", method: "POST", body: "two" },
    { path: "/echo?free", method: "POST", body: "three" },
  ]);
  const [first, second] = [await proxy.nextPaused(/held=1/), await proxy.nextPaused(/held=2/)];
  expect([first.flow.request.httpVersion, first.flow.request.text()]).toEqual(["2", "one"]);
  await proxy.waitFor(/free/);
  second.forward({ body: "edited" });
  first.respond({ status: 503, body: "from the test" });
  const response = await proxy.nextPaused(/held=2/, { phase: "response" });
  response.forward({ headers: { "x-edited": "yes" } });
  const [one, two, three] = await results;
  expect([one!.status, one!.body]).toEqual([503, "from the test"]);
  expect(two!.raw).toContain("x-edited");
  expect(two!.body).toContain(`"length":${"edited".length}`);
  expect([three!.status, three!.body]).toEqual([200, expect.stringContaining(`"length":${"three".length}`)]);
});

test("a stream of HTTP/2 that is reset while it is paused is gone", async () => {
  await using origin = await startNodeOrigin();
  await using proxy = await proxyOf(origin, { rules: [[/echo/, "ask"]] });
  const results = nodeClient(proxy, [{ path: "/echo", resetUnanswered: 8 }]);
  const paused = await proxy.nextPaused();
  await proxy.waitFor(/echo/);
  expect(() => paused.forward()).toThrow("is gone (CLIENT_ABORTED");
  await results;
});

const WEBSOCKET = (url: string) => `
const socket = new WebSocket(${JSON.stringify(url)});
socket.onopen = () => socket.send("hello");
socket.onmessage = ({ data }) => { console.log("got " + data); socket.close(); };
socket.onerror = () => console.log("error");`;

test.each(RUNTIMES.filter((name) => name !== "bun"))("a WebSocket handshake of %s waits, both ways", async (name) => {
  await using server = await startBunEcho();
  await using proxy = await startProxy({ rules: [[{ scheme: "ws" }, ask({ on: ["request", "response"] })]] });
  const code = WEBSOCKET(`ws://127.0.0.1:${server.port}/`);
  const args = name === "node" ? ["--eval", code] : ["eval", "--no-config", code];
  const talk = () => run(runtimePath(name), args, { env: proxy.env() });

  const opened = talk();
  const request = await proxy.nextPaused(undefined, { timeout: 20_000 });
  expect([request.phase, request.flow.request.scheme]).toEqual(["request", "ws"]);
  request.forward();
  const response = await proxy.nextPaused();
  expect([response.phase, response.flow.response?.status]).toEqual(["response", 101]);
  response.forward();
  expect((await opened).stdout).toContain("got hello");

  const refused = talk();
  (await proxy.nextPaused(undefined, { timeout: 20_000 })).forward();
  (await proxy.nextPaused()).respond({ status: 403 });
  expect((await refused).stdout).toContain("error");
});
