/** The matchers in the `expect` of vitest, and of Bun when these tests run there. */
import { describe, expect as base, test } from "vitest";
import { type FlowtapeMatchers, matchers } from "../../src/expect/matchers.ts";
import { FlowSet } from "../../src/flow/flow_set.ts";
import type { TapeEntry } from "../../src/tape/entry.ts";
import { httpFlow } from "../flow/flows.ts";
import { chat, shop } from "./shop.ts";

base.extend(matchers);
const expect = base as unknown as (value: unknown) => FlowtapeMatchers & { not: FlowtapeMatchers };

const flows = new FlowSet([httpFlow("http://a.test/x"), httpFlow("http://a.test/x"), httpFlow("http://a.test/z")]);
const proxy = { flows, unmatched: new FlowSet(), unused: [] };
const broken = { flows, unmatched: flows, unused: [{ index: 0, method: "GET", url: "http://a.test/y" } as TapeEntry] };

/** What holds, and what does not, of each matcher: with its message, and that of the opposite. */
const table: [string, (expect: FlowtapeMatchers) => void, (expect: FlowtapeMatchers) => void, string, string][] = [
  [
    "toHaveReceived",
    (it) => it.toHaveReceived("GET /x"),
    (it) => it.toHaveReceived("/y"),
    "expected at least 1 request matching /y",
    "expected no request matching GET /x\nreceived 2",
  ],
  [
    "toHaveReceived, so many times",
    (it) => it.toHaveReceived("/x", { times: 2 }),
    (it) => it.toHaveReceived("/x", { times: { atLeast: 3 } }),
    "expected at least 3 requests matching /x\nreceived 2",
    "expected anything but exactly 2 requests matching /x\nreceived 2",
  ],
  [
    "toHaveReceivedTimes",
    (it) => it.toHaveReceivedTimes("/y", 0),
    (it) => it.toHaveReceivedTimes("/x", { atMost: 1 }),
    "expected at most 1 request matching /x\nreceived 2",
    "expected at least 1 request matching /y",
  ],
  [
    "toHaveReceivedNth",
    (it) => it.toHaveReceivedNth(3, "/z"),
    (it) => it.toHaveReceivedNth(2, "/z"),
    "expected the 2nd request to match /z",
    "expected the 3rd request not to match /z",
  ],
  [
    "toHaveReceivedLast",
    (it) => it.toHaveReceivedLast("/z"),
    (it) => it.toHaveReceivedLast("/x"),
    "expected the last request to match /x",
    "expected the last request not to match /z",
  ],
  [
    "toHaveReceivedInOrder",
    (it) => it.toHaveReceivedInOrder(["/x", "/z"]),
    (it) => it.toHaveReceivedInOrder(["/z", "/x"]),
    "expected these requests in this order",
    "expected these requests in any other order",
  ],
  [
    "toHaveNoUnmatched",
    (it) => it.toHaveNoUnmatched(),
    () => {},
    "",
    "expected requests that nothing on the tape matches",
  ],
  [
    "toHaveUsedWholeTape",
    (it) => it.toHaveUsedWholeTape(),
    () => {},
    "",
    "expected entries of the tape that are not used",
  ],
];

describe("expect(proxy)", () => {
  test.each(table)("%s", (_, holds, fails, message, opposite) => {
    holds(expect(proxy));
    base(() => holds(expect(proxy).not)).toThrow(opposite);
    if (message === "") return;
    fails(expect(proxy).not);
    base(() => fails(expect(proxy))).toThrow(message);
  });

  test("what a proxy in trouble says", () => {
    expect(broken).not.toHaveNoUnmatched();
    expect(broken).not.toHaveUsedWholeTape();
    base(() => expect(broken).toHaveNoUnmatched()).toThrow("received 3 requests that nothing matches");
    base(() => expect(broken).toHaveUsedWholeTape()).toThrow("expected every entry of the tape to be used\n1 was not");
  });

  test("expect(flows) as well", () => {
    expect(flows).toHaveReceived("/x", { times: 2 });
    expect(flows.filter("/z")).toHaveReceivedNth(1, "/z");
  });

  test("no place before the first", () => {
    for (const nth of [0, -1, 1.5, "1"]) {
      base(() => expect(proxy).toHaveReceivedNth(nth as number, "/x")).toThrow("1 is the first request, 2 the second");
    }
  });
});

describe("expect(flow)", () => {
  const flow = shop().at(1);

  test("toMatchRequest", () => {
    expect(flow).toMatchRequest({ method: "POST", json: { customer: { id: 7 } } });
    expect(flow).not.toMatchRequest("/cart");
    base(() => expect(flow).toMatchRequest("/cart")).toThrow("to match /cart");
    base(() => expect(flow).not.toMatchRequest("/orders")).toThrow("not to match /orders");
  });

  test("toHaveResponded", () => {
    expect(flow).toHaveResponded();
    expect(flow).toHaveResponded(201);
    expect(flow).toHaveResponded("2xx");
    expect(flow).toHaveResponded({ status: 201, json: { state: "open" }, headers: { "content-type": /json/ } });
    expect(flow).not.toHaveResponded(404);
    expect(shop().at(4)).not.toHaveResponded();
    base(() => expect(flow).toHaveResponded({ json: { state: "closed" } })).toThrow('- json.state: "closed"');
    base(() => expect(flow).not.toHaveResponded(201)).toThrow("not to be answered with 201");
    base(() => expect(flow).not.toHaveResponded()).toThrow("not to be answered\nit was answered with 201");
  });

  test("toHaveSentMessage", () => {
    const talk = chat();
    expect(talk).toHaveSentMessage('{"type":"ping","n":1}');
    expect(talk).toHaveSentMessage(/ping/, { times: 1 });
    expect(talk).toHaveSentMessage({ json: { type: "ping" } });
    expect(talk).toHaveSentMessage(new Uint8Array([1, 2, 3, 255]));
    expect(talk).toHaveSentMessage({ type: "binary" });
    expect(talk).toHaveSentMessage({ from: "server", json: { type: "welcome" } });
    expect(talk).toHaveSentMessage((message) => message.text.includes("hello"));
    expect(talk).not.toHaveSentMessage({ json: { type: "pong" } });
    expect(talk).not.toHaveSentMessage("pin");
    base(() => expect(talk).toHaveSentMessage(/ping/, { times: 2 })).toThrow("it sent 3 messages, of which 1 matches");
    base(() => expect(talk).not.toHaveSentMessage(/ping/)).toThrow("expected the client to send no message");
    base(() => expect(flow).toHaveSentMessage("x")).toThrow("is no WebSocket");
  });

  test("where there is no flow, neither an assertion nor its opposite holds", () => {
    for (const it of [expect(undefined), expect(undefined).not]) {
      base(() => it.toMatchRequest("/x")).toThrow("there was no such flow");
      base(() => it.toHaveResponded()).toThrow("there was no such flow");
      base(() => it.toHaveSentMessage("x")).toThrow("there was no such flow");
    }
  });
});

describe("asymmetric matchers of the host", () => {
  const flow = httpFlow({
    method: "POST",
    url: "http://a.test/orders?page=12",
    headers: { "x-id": "abc-1" },
    json: { id: 7, tags: ["a", "b"], user: { name: "Ann", age: 7 } },
  });

  test.each<[string, unknown, unknown]>([
    ["any", { id: base.any(Number) }, { id: base.any(String) }],
    ["stringContaining", { user: { name: base.stringContaining("nn") } }, {
      user: { name: base.stringContaining("x") },
    }],
    ["stringMatching", { user: { name: base.stringMatching(/^A/) } }, { user: { name: base.stringMatching(/^B/) } }],
    ["objectContaining", { user: base.objectContaining({ age: 7 }) }, { user: base.objectContaining({ age: 8 }) }],
    ["arrayContaining", { tags: base.arrayContaining(["b"]) }, { tags: base.arrayContaining(["c"]) }],
    ["anything", { id: base.anything() }, { nothing: base.anything() }],
  ])("%s in JSON", (_, holds, fails) => {
    expect(flow).toMatchRequest({ json: holds });
    base(() => expect(flow).toMatchRequest({ json: fails })).toThrow("differences");
  });

  test("in query, headers, body and messages", () => {
    expect(flow).toMatchRequest({
      query: { page: base.stringMatching(/^\d+$/) },
      headers: { "x-id": base.stringContaining("abc") },
      body: base.stringContaining("Ann"),
    });
    expect(chat()).toHaveSentMessage(base.stringContaining("ping"));
    expect(chat()).toHaveSentMessage({ json: { n: base.any(Number) } });
  });
});

describe("what is not accepted", () => {
  test("another value than a proxy, flows or a flow", () => {
    base(() => expect(7).toHaveReceived("/x")).toThrow("a proxy or a FlowSet is wanted");
    base(() => expect(undefined).toHaveNoUnmatched()).toThrow("a proxy is wanted");
    base(() => expect(flows).toHaveUsedWholeTape()).toThrow("a proxy is wanted");
    base(() => expect(flows).toMatchRequest("/x")).toThrow(
      "a flow is wanted, such as proxy.flows.last(), not a FlowSet",
    );
    base(() => expect(null).toHaveResponded(200)).toThrow("a flow is wanted");
  });

  test.each<[string, unknown]>([
    ["the message is 7", 7],
    ["the message is null", null],
    ['"form" is not a part of a message; did you mean "from"?', { form: "client" }],
    ['from "peer" is not valid: "client" or "server" is accepted', { from: "peer" }],
    ["text 7 is not valid", { text: 7 }],
    ["data 7 is not valid", { data: 7 }],
  ])("%s", (message, matcher) => {
    base(() => expect(chat()).toHaveSentMessage(matcher as string)).toThrow(message);
  });

  test("a function of a message that answers later", () => {
    const later = (() => Promise.resolve(false)) as unknown as () => boolean;
    base(() => expect(chat()).toHaveSentMessage(later)).toThrow("returned a promise");
  });

  test.each([
    [{ time: 1 }, 'option time is not known; did you mean "times"? (times, within are accepted)'],
    [{ within: "1s" }, 'option within is "1s": a whole number from 0 to 2147483647 is accepted'],
    [{ times: -1 }, "times -1 is not valid"],
    [1, "the options are 1: { times: 1 } is accepted"],
  ])("options %j", (options, message) => {
    base(() => expect(proxy).toHaveReceived("/x", options as object)).toThrow(message);
  });
});
