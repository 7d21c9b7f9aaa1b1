// @std/http comes from JSR, from npm's deno-std, or out of our own bundle: the same code must arrive everywhere.
import { getCookies, getSetCookies, setCookie } from "@std/http/cookie";
import { accepts } from "@std/http/negotiation";
import { ServerSentEventStream } from "@std/http/server-sent-event-stream";
import { ServerSentEventParseStream } from "@std/http/server-sent-event-parse-stream";
import { isStatus, STATUS_CODE, STATUS_TEXT } from "@std/http/status";
import { expect, test } from "vitest";

test("status texts", () => {
  expect(STATUS_TEXT[STATUS_CODE.BadGateway]).toBe("Bad Gateway");
  expect(isStatus(299)).toBe(false);
});

test("cookies", () => {
  expect(getCookies(new Headers({ cookie: "a=1; b=2" }))).toEqual({ a: "1", b: "2" });
  const headers = new Headers();
  setCookie(headers, { name: "session", value: "x", httpOnly: true });
  expect(getSetCookies(headers)).toEqual([{ name: "session", value: "x", httpOnly: true }]);
});

test("content negotiation", () => {
  const request = new Request("http://a.test/", { headers: { accept: "text/html;q=0.5, application/json" } });
  expect(accepts(request, "text/html", "application/json")).toBe("application/json");
});

test("server-sent events", async () => {
  const messages = new ReadableStream({
    start(controller) {
      controller.enqueue({ event: "greeting", data: "hello\nworld" });
      controller.close();
    },
  });
  const events = messages
    .pipeThrough(new ServerSentEventStream())
    .pipeThrough(new ServerSentEventParseStream());
  expect(await Array.fromAsync(events)).toEqual([{ event: "greeting", data: "hello\nworld" }]);
});
