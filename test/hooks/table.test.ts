// The one table of hooks.
import { expect, test } from "vitest";
import { HOOKS } from "../../src/mod.ts";

const WANTED = {
  lifecycle: ["configure", "start", "tick", "log", "done"],
  connection: ["clientConnect", "clientDisconnect", "serverConnect", "serverDisconnect", "nextLayer"],
  http: ["httpConnect", "requestHeaders", "request", "responseHeaders", "response", "error"],
  websocket: ["websocketHandshake", "websocketMessage", "websocketEnd"],
  tcp: ["tcpStart", "tcpMessage", "tcpError", "tcpEnd"],
} as const;

test.each(Object.entries(WANTED))("the hooks of %s", (group, names) => {
  const there = Object.entries(HOOKS).filter(([, hook]) => hook.group === group).map(([name]) => name);
  expect(there).toEqual(expect.arrayContaining([...names]));
});

test.each(Object.entries(HOOKS))("%s says everything, in whole sentences", (_, hook) => {
  for (const text of [hook.when, hook.guarantees, hook.mayChange, hook.mitmproxy]) {
    expect(text).toMatch(/^[`A-Z].*\.$/s);
  }
});
