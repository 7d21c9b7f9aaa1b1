// What each operator finds: HTTP, WebSocket and TCP flows.
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { BodyBuffer } from "../../../src/flow/body_buffer.ts";
import { comparisonsOf } from "../../../src/flow/matcher/compare.ts";
import { noteSentAgain } from "../../../src/flow/sent_again.ts";
import { TcpMessage } from "../../../src/flow/tcp_message.ts";
import {
  BodyIncompleteError,
  filter,
  type Flow,
  FlowResponse,
  FlowSet,
  type HeadersLike,
  type HttpFlow,
  not,
  WebSocketConversation,
  WebSocketMessage,
} from "../../../src/mod.ts";
import { arriving, type FlowInit, httpFlow, tcpFlow } from "../flows.ts";

interface Init extends FlowInit {
  response?: { status?: number; headers?: HeadersLike; body?: string | Uint8Array };
}

function flow({ response, ...init }: Init): HttpFlow {
  const made = httpFlow(init);
  if (response !== undefined) made.response = FlowResponse.create({ status: 200, ...response });
  return made;
}

const request = () =>
  flow({
    method: "POST",
    url: "http://address:22/path?a=1",
    headers: { header: "qvalue", "Content-Type": "text/plain" },
    body: "content",
  });

const answered = () =>
  flow({
    method: "GET",
    url: "https://shop.test/orders",
    headers: { header: "qvalue" },
    response: { headers: { "header-response": "svalue", "content-type": "text/html; charset=utf-8" }, body: "message" },
  });

const failed = () => flow({ url: "http://a.test/", error: "CONNECT_REFUSED" });

function talk(): HttpFlow {
  const made = flow({ url: "http://a.test/chat", response: {} });
  made.response!.status = 101;
  made.request.scheme = "ws";
  made.websocket = new WebSocketConversation();
  const message = (from: "client" | "server", data: string | Uint8Array) =>
    new WebSocketMessage({ from, type: typeof data === "string" ? "text" : "binary", data, time: 1 });
  made.websocket.messages.push(
    message("client", "hello"),
    message("server", "me"),
    message("server", bytes(0x89, 0x50)),
  );
  return made;
}

function conversation(): Flow {
  const made = tcpFlow();
  made.messages.push(
    new TcpMessage("client", 1, Buffer.from("hello\nyou")),
    new TcpMessage("server", 2, Buffer.from("me")),
  );
  made.server = { id: 2, host: "db.test", port: 5432, address: "10.0.0.9" };
  made.comment = "a remark";
  return made;
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

function edited<T extends Flow>(made: T, edit: (made: T) => void): T {
  edit(made);
  return made;
}

const tape = () => edited(answered(), (it) => void (it.source = "tape"));
const again = () => edited(answered(), noteSentAgain);

/** A flow, expressions that find it, and expressions that do not. */
const TABLE: [string, () => Flow, string[], string[]][] = [
  ["a request", request, [
    "~all",
    "~http",
    "~q",
    "~m POST",
    "~m post",
    "~m ^p.st$",
    "~u address",
    "~u address:22/path",
    "address:22",
    "~u ADDRESS",
    String.raw`~u \?a=1$`,
    "~d address",
    "~d ^address$",
    "~h header",
    "~h 'HEADER: qvalue'",
    "~hq ^header:",
    "~hq 'qvalue$'",
    "~hq qvalue$.*",
    "~t text",
    "~t ^text/plain$",
    "~tq plain",
    "~b content",
    "~b ^content$",
    "~bq CONTENT",
    "~src 127.0.0.1",
    "~src 127.0.0.1:50000",
    "~src :50000",
    "!~c 200",
    "!~replay",
    "~marker ^$",
    '~comment ""',
  ], [
    "~s",
    "~e",
    "~tcp",
    "~websocket",
    "~marked",
    "~a",
    "~m GET",
    "~m PUT",
    "~m OST$.",
    "~d none",
    "~u moo/path",
    "~h nonexistent",
    "~hs header",
    "~ts plain",
    "~bs content",
    "~b message",
    "~c 200",
    "~dst .",
    "~src :99",
    "~replay",
    "~replayq",
    "~replays",
    "~meta .",
    "~marker .",
    "~comment .",
  ]],
  ["a response", answered, [
    "~s",
    "~c 200",
    "~c 0200",
    "~hs 'header-response: svalue'",
    "~h 'header: qvalue'",
    "~h svalue",
    "~ts html",
    "~t charset=utf-8",
    "~b message",
    "~bs ^message$",
    "~m GET|PUT",
    "~u ^https://shop",
    "(~c 200 & ~h head) & ~b message",
    "~c 200 | ~h nohead",
    "(~c 201 | ~h nohead) | ~s",
    "!~c 201 !~c 202",
    "! ~c 201",
    "~u orders ~c 200",
    "~c 201 | ~c 200 ~s",
  ], [
    "~q",
    "~e",
    "~c 20",
    "~c 2000",
    "~a",
    "~hq svalue",
    "~hs qvalue",
    "~tq html",
    "~bq message",
    "~b nonexistent",
    "~c 200 & ~h nohead",
    "!~c 201 !~c 200",
    "~c 201 | ~h nohead",
    "~c 200 | ~s ~q",
  ]],
  ["a failure", failed, ["~e", "~q", "~http"], ["~s", "~c 502"]],
  ["a WebSocket", talk, [
    "~websocket",
    "~http",
    "~b hello",
    "~b me",
    "~bq hello",
    "~bs me",
    String.raw`~bs \x89P`,
    "~c 101",
  ], ["~tcp", "~bq me", "~bs hello", "~b nothing"]],
  ["a TCP conversation", conversation, [
    "~tcp",
    "~all",
    "~b hello",
    "~b hello.you",
    "~bq hello",
    "~b me",
    "~bs me",
    "~src 127.0.0.1:50000",
    "~dst db.test:5432",
    "~dst 10.0.0.9:5432",
    "~comment remark",
    "!~e",
    "!~q & !~s",
  ], [
    "~http",
    "~websocket",
    "~bq me",
    "~bs hello",
    "~q",
    "~s",
    "~h .",
    "~t .",
    "~u .",
    "~d .",
    "~m .",
    "~c 200",
    "~a",
  ]],
  [
    "a server",
    () =>
      edited(answered(), (it) => {
        it.server = { id: 3, host: "shop.test", port: 443, address: "127.0.0.1" };
      }),
    ["~dst shop.test:443", "~dst ^127", "~dst :443"],
    ["~dst :80"],
  ],
  ["a Host of its own", () => flow({ url: "http://127.0.0.1:8080/x", headers: { host: "shop.test:80" } }), [
    "~d ^shop.test$",
    "~d ^127.0.0.1$",
    "~u ^http://shop.test:80/x$",
    "~u ^http://127.0.0.1:8080/x$",
  ], ["~d 8080"]],
  ["a tape's answer", tape, ["~replay", "~replays"], ["~replayq"]],
  ["a request sent again", again, ["~replay", "~replayq"], ["~replays"]],
  ["marks", () =>
    edited(answered(), (it) => {
      it.marked = "X";
      it.comment = "first line\nsecond";
      Object.assign(it.metadata, { a: 1, b: "string", c: { key: "value" } });
    }), [
    "~marked",
    "~marker x",
    "~comment ^second$",
    "~meta ^a",
    "~meta 'b: string$'",
    "~meta key",
    "~meta value",
  ], ["~marker y", "~comment third", "~meta no"]],
];

for (const [name, make, found, missed] of TABLE) {
  describe(name, () => {
    test.each(found)("%s finds it", (expression) => {
      const matcher = filter(expression);
      expect(matcher.matches(make())).toBe(true);
      expect(comparisonsOf(matcher, make()).length).toBeGreaterThan(0);
      expect(not(matcher).matches(make())).toBe(false);
    });
    test.each(missed)("%s does not", (expression) => {
      const matcher = filter(expression);
      expect(matcher.matches(make())).toBe(false);
      expect(comparisonsOf(matcher, make()).some(({ matches }) => !matches)).toBe(true);
    });
  });
}

test.each([
  ["text/javascript", true],
  ["application/x-javascript", true],
  ["application/javascript; charset=utf-8", true],
  ["text/css", true],
  ["image/svg+xml", true],
  ["Font/woff2", true],
  ["application/font-woff", true],
  ["text/html", false],
  ["application/json", false],
])("~a: %s is an asset: %s", (type, is) => {
  expect(filter("~a").matches(flow({ url: "http://a.test/", response: { headers: { "content-type": type } } }))).toBe(
    is,
  );
});

describe("~b", () => {
  test.each(["яч", "测试", "θεός", "하나님", "Äÿ"])("finds %s in text", (text) => {
    const response = { body: text, headers: { "content-type": "text/plain; charset=utf-8" } };
    expect(filter(`~bs ${text}`).matches(flow({ url: "http://a.test/", response }))).toBe(true);
  });

  test("looks below the content coding", () => {
    const made = flow({ url: "http://a.test/", response: { headers: { "content-encoding": "gzip" } } });
    made.response!.content = BodyBuffer.of(gzipSync("the message"));
    expect(filter("~b 'the message'").matches(made)).toBe(true);
  });

  test("takes what cannot be decoded as it is", () => {
    const made = flow({ url: "http://a.test/", response: { headers: { "content-encoding": "gzip" } } });
    made.response!.content = BodyBuffer.of(Buffer.from("no gzip"));
    expect(filter("~b 'no gzip'").matches(made)).toBe(true);
  });

  test("reads the charset", () => {
    const response = { body: bytes(0xe9, 0x74), headers: { "content-type": "text/plain; charset=iso-8859-1" } };
    expect(filter("~b ét").matches(flow({ url: "http://a.test/", response }))).toBe(true);
  });

  test("finds bytes", () => {
    const made = flow({ url: "http://a.test/", response: { body: bytes(0x89, 0x50, 0x4e, 0x47, 0) } });
    expect(filter(String.raw`~b ^\x89PNG\x00$`).matches(made)).toBe(true);
  });

  test("the dot takes line breaks, ^ is the start", () => {
    const made = flow({ url: "http://a.test/", response: { body: "one\ntwo" } });
    expect(filter("~b one.two").matches(made)).toBe(true);
    expect(filter("~b ^two").matches(made)).toBe(false);
  });

  test("waits for a body that is on its way, unless the rest decides", () => {
    const made = arriving({ method: "POST", url: "http://a.test/" });
    expect(() => filter("~bq x").matches(made)).toThrow(BodyIncompleteError);
    expect(() => filter("!~b x").matches(made)).toThrow(BodyIncompleteError);
    expect(() => filter("~m POST & ~b x").matches(made)).toThrow(BodyIncompleteError);
    expect(filter("~b x & ~m GET").matches(made)).toBe(false);
    expect(filter("~b x | ~m POST").matches(made)).toBe(true);
    expect(filter("~bs x").matches(made)).toBe(false);
    expect(filter("~u a.test & ~hq host").matches(made)).toBe(true);
    // In a set of flows nothing is waited for.
    expect(new FlowSet([made]).filter(filter("~bq x")).length).toBe(0);
  });

  test("what it costs is bounded", () => {
    const made = flow({ url: "http://a.test/", response: { body: "a".repeat(3_000_000) + "end" } });
    // As it stands this would go on for hours: from every character on, to the end.
    expect(filter("~b .*.*x").matches(made)).toBe(false);
    expect(filter("~b a+end").matches(flow({ url: "http://a.test/", body: "aaaend" }))).toBe(true);
    // Beyond the first mebibyte nobody looks.
    expect(filter("~b end").matches(made)).toBe(false);
  });
});

describe("as a matcher", () => {
  test("everywhere: in flows.filter with others around it", () => {
    const flows = new FlowSet([request(), answered(), conversation()]);
    expect(flows.filter(filter("~m POST | ~tcp")).length).toBe(2);
    expect(flows.filter(not(filter("~http"))).length).toBe(1);
  });

  test("its key is what every flow that it finds has in common", () => {
    const post = { method: "POST" };
    expect(filter("~m POST").key).toEqual(post);
    expect(filter("~m post & (~u /orders | ~hq x-test) & !~c 500").key).toEqual(post);
    expect(filter("~u a ~m POST").key).toEqual(post);
    expect(filter("~m POST & ~q | ~m POST & ~s").key).toEqual(post);
    for (
      const source of ["~m POST | ~u a", "!~m POST", "~m GET|POST", "~m LOCK", "~m P", "~u /orders", "~m POST | ~m GET"]
    ) {
      expect(filter(source).key, source).toBeUndefined();
    }
  });

  test("its description and what it compares hold no credentials", () => {
    const matcher = filter("~hq 'authorization: Bearer abcdefghijk' & ~u x");
    expect(matcher.description).not.toContain("abcdefghijk");
    const made = flow({ url: "http://a.test/?token=s3cret", headers: { authorization: "Bearer zyxwvutsrq" } });
    expect(JSON.stringify(comparisonsOf(matcher, made))).not.toMatch(/s3cret|zyxwvut|abcdefghijk/);
  });

  test("a near miss says what was there", () => {
    expect(comparisonsOf(filter("~m POST & ~c 500"), answered())).toEqual([
      { field: "method", expected: "~m POST", actual: "GET", matches: false },
      { field: "status", expected: "~c 500", actual: "200", matches: false },
    ]);
  });
});
