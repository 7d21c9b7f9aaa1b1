// What a client of HTTP/2 must not send, byte by byte, through a running proxy.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, respond, startProxy } from "../../../src/mod.ts";
import { PATIENTLY } from "../http1_client.ts";
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  PADDED,
  PING,
  PRIORITY,
  pseudo,
  PUSH_PROMISE,
  RawPeer,
  RST_STREAM,
  section,
  SETTINGS,
  uint32,
  WINDOW_UPDATE,
} from "./raw_peer.ts";

function startAnswering(): Promise<Proxy> {
  return startProxy({ defaultAction: respond({ body: "ok" }), timeouts: { head: 500 } });
}

/** The connection is still of use. */
async function answers(client: RawPeer, stream: number): Promise<void> {
  await client.request(stream);
  for (;;) {
    const seen = await client.find(HEADERS);
    if (seen.stream !== stream) continue;
    expect(seen.fields!.slice(0, 2)).toEqual([":status", "200"]);
    return;
  }
}

describe("B60 a bad preface", () => {
  test.each([
    ["another end of the preface", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + "\0".repeat(20)],
    ["no SETTINGS", Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(PING, 0, 0, "12345678")])],
  ])("%s", async (_, bytes) => {
    await using proxy = await startAnswering();
    await using client = await RawPeer.client(proxy, bytes);
    expect(await client.verdict()).toBe("GOAWAY PROTOCOL_ERROR");
    expect(await client.verdict()).toBe("closed");
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow.request.method).toBe("MALFORMED");
    expect(flow.error!.code).toBe("HTTP2_PROTOCOL_ERROR");
  });

  test("byte by byte it is as good as at once", async () => {
    await using proxy = await startAnswering();
    await using client = await RawPeer.client(proxy, "");
    const hello = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(SETTINGS, 0, 0)]);
    for (const byte of hello) await client.connection.write(new Uint8Array([byte]));
    await answers(client, 1);
  });

  test("half a preface is not waited for for ever", async () => {
    await using proxy = await startAnswering();
    await using client = await RawPeer.client(proxy, "PRI * HTTP/2.0\r\n\r\nSM");
    expect(await client.verdict()).toMatch(/^GOAWAY|closed$/);
    await expect.poll(() => (proxy.flows.first() as HttpFlow | undefined)?.error?.code, PATIENTLY).toBe(
      "CLIENT_TIMEOUT",
    );
  });
});

describe("B61 malformed requests end their stream alone", () => {
  const fine = pseudo();
  test.each<[string, [string, string][]]>([
    ["no :method", fine.slice(1)],
    ["no :path", fine.slice(0, 3)],
    ["no :scheme", [fine[0]!, fine[2]!, fine[3]!]],
    ["an empty :path", pseudo("")],
    [":method twice", [fine[0]!, ...fine]],
    ["a pseudo-field that is none", [...fine, [":fancy", "1"]]],
    ["a pseudo-field of responses", [...fine, [":status", "200"]]],
    ["a pseudo-field behind others", [["x-a", "1"], ...fine]],
    [":protocol, which was not offered", [...fine, [":protocol", "websocket"]]],
    ["connection", [...fine, ["connection", "close"]]],
    ["keep-alive", [...fine, ["keep-alive", "timeout=5"]]],
    ["proxy-connection", [...fine, ["proxy-connection", "close"]]],
    ["transfer-encoding", [...fine, ["transfer-encoding", "chunked"]]],
    ["upgrade", [...fine, ["upgrade", "h2c"]]],
    ["te that is not trailers", [...fine, ["te", "gzip"]]],
    ["upper case", [...fine, ["X-Upper", "1"]]],
    ["an empty name", [...fine, ["", "1"]]],
    ["a line break in a value", [...fine, ["x-a", "1\r\nx-b: 2"]]],
    ["NUL in a value", [...fine, ["x-a", "1\0"]]],
    ["a value that begins with a space", [...fine, ["x-a", " 1"]]],
    ["a space in :path", pseudo("/a b")],
    ["a fragment in :path", pseudo("/a#b")],
    ["a :path that is no path", pseudo("a")],
    ["a :method that is none", pseudo("/", "G T")],
    ["another host than :authority", [...fine, ["host", "other.test"]]],
    ["a user in :authority", [fine[0]!, fine[1]!, [":authority", "user@origin.test"], fine[3]!]],
    ["a content-length without content", [...fine, ["content-length", "5"]]],
    ["a content-length that is no number", [...fine, ["content-length", "five"]]],
    ["CONNECT with :path", pseudo("/", "CONNECT")],
  ])("%s", async (_, fields) => {
    await using proxy = await startAnswering();
    await using client = await RawPeer.client(proxy);
    await client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, section(...fields)));
    expect(await client.verdict()).toBe("RST_STREAM 1 PROTOCOL_ERROR");
    await answers(client, 3);
    expect(([...proxy.flows] as HttpFlow[]).map(({ error }) => error?.code)).toEqual([
      "HTTP2_PROTOCOL_ERROR",
      undefined,
    ]);
  });

  test.each<[string, Buffer[], string]>([
    ["more content than content-length", [frame(DATA, END_STREAM, 1, "123456")], "PROTOCOL_ERROR"],
    ["less content than content-length", [frame(DATA, END_STREAM, 1, "1234")], "PROTOCOL_ERROR"],
    ["pseudo-fields in trailers", [
      frame(DATA, 0, 1, "12345"),
      frame(HEADERS, END_STREAM | END_HEADERS, 1, section([":path", "/"])),
    ], "PROTOCOL_ERROR"],
    ["a second head that ends nothing", [frame(HEADERS, END_HEADERS, 1, section(["x", "1"]))], "PROTOCOL_ERROR"],
    ["a window that overflows", [frame(WINDOW_UPDATE, 0, 1, uint32(0x7fffffff))], "FLOW_CONTROL_ERROR"],
    ["a window that is widened by nothing", [frame(WINDOW_UPDATE, 0, 1, uint32(0))], "PROTOCOL_ERROR"],
  ])("%s", async (_, frames, code) => {
    await using proxy = await startProxy({
      rules: [["POST *", respond(() => ({ body: "ok" }))]],
      addons: [{ request() {} }],
    });
    await using client = await RawPeer.client(proxy);
    await client.send(
      frame(HEADERS, END_HEADERS, 1, section(...pseudo("/", "POST"), ["content-length", "5"])),
      ...frames,
    );
    expect(await client.verdict()).toBe(`RST_STREAM 1 ${code}`);
  });
});

describe("what breaks the connection", () => {
  const post = frame(HEADERS, END_HEADERS, 1, section(...pseudo("/", "POST")));
  test.each<[string, Buffer[], string]>([
    ["a frame that is too large", [frame(DATA, 0, 1, Buffer.alloc(16_385))], "FRAME_SIZE_ERROR"],
    ["DATA for no stream", [frame(DATA, 0, 0, "x")], "PROTOCOL_ERROR"],
    ["DATA for a stream that was never opened", [frame(DATA, 0, 5, "x")], "PROTOCOL_ERROR"],
    ["HEADERS for no stream", [frame(HEADERS, END_HEADERS, 0, section(...pseudo()))], "PROTOCOL_ERROR"],
    ["HEADERS for a stream of the server", [frame(HEADERS, END_HEADERS, 2, section(...pseudo()))], "PROTOCOL_ERROR"],
    ["more padding than payload", [frame(HEADERS, END_HEADERS | PADDED, 1, "\xffab")], "PROTOCOL_ERROR"],
    ["PUSH_PROMISE", [frame(PUSH_PROMISE, END_HEADERS, 1, uint32(2))], "PROTOCOL_ERROR"],
    ["CONTINUATION of nothing", [frame(CONTINUATION, END_HEADERS, 1, "")], "PROTOCOL_ERROR"],
    [
      "something between HEADERS and CONTINUATION",
      [frame(HEADERS, 0, 1, ""), frame(PING, 0, 0, "12345678")],
      "PROTOCOL_ERROR",
    ],
    ["CONTINUATION without end", [
      frame(HEADERS, 0, 1, ""),
      ...Array.from({ length: 70 }, () => frame(CONTINUATION, 0, 1, "")),
    ], "ENHANCE_YOUR_CALM"],
    ["fields that HPACK cannot read", [
      frame(HEADERS, END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
    ], "COMPRESSION_ERROR"],
    ["RST_STREAM of a stream that was never opened", [frame(RST_STREAM, 0, 9, uint32(8))], "PROTOCOL_ERROR"],
    ["RST_STREAM of three bytes", [post, frame(RST_STREAM, 0, 1, "123")], "FRAME_SIZE_ERROR"],
    ["SETTINGS for a stream", [frame(SETTINGS, 0, 1)], "PROTOCOL_ERROR"],
    ["SETTINGS of five bytes", [frame(SETTINGS, 0, 0, "12345")], "FRAME_SIZE_ERROR"],
    ["an acknowledgement with content", [frame(SETTINGS, ACK, 0, "123456")], "FRAME_SIZE_ERROR"],
    [
      "a window that is too large",
      [frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0xff, 0xff, 0xff, 0xff]))],
      "FLOW_CONTROL_ERROR",
    ],
    ["frames that are too small", [frame(SETTINGS, 0, 0, Buffer.from([0, 5, 0, 0, 0, 1]))], "PROTOCOL_ERROR"],
    ["PING of seven bytes", [frame(PING, 0, 0, "1234567")], "FRAME_SIZE_ERROR"],
    ["PING for a stream", [frame(PING, 0, 1, "12345678")], "PROTOCOL_ERROR"],
    ["PRIORITY for no stream", [frame(PRIORITY, 0, 0, "12345")], "PROTOCOL_ERROR"],
    ["the window of the connection overflows", [frame(WINDOW_UPDATE, 0, 0, uint32(0x7fffffff))], "FLOW_CONTROL_ERROR"],
  ])("%s", async (_, frames, code) => {
    await using proxy = await startAnswering();
    await using client = await RawPeer.client(proxy);
    await client.send(...frames);
    expect(await client.verdict()).toBe(`GOAWAY ${code}`);
    expect(await client.verdict()).toBe("closed");
    await expect.poll(
      () => ([...proxy.flows] as HttpFlow[]).some(({ error }) => error?.code === `HTTP2_${code}`),
      PATIENTLY,
    )
      .toBe(true);
  });

  test("what must be ignored is: unknown frames, unknown settings, frames of a stream that was reset", async () => {
    await using proxy = await startAnswering();
    await using client = await RawPeer.client(proxy);
    await client.send(
      frame(99, 255, 7, "whatever"),
      frame(SETTINGS, 0, 0, Buffer.from([0x12, 0x34, 0, 0, 0, 1])),
      frame(PRIORITY, 0, 1, Buffer.alloc(5)),
      post,
      frame(RST_STREAM, 0, 1, uint32(8)),
      frame(DATA, END_STREAM, 1, "late"),
      frame(WINDOW_UPDATE, 0, 1, uint32(1)),
    );
    await answers(client, 3);
  });

  test("PING is answered, padding is taken off, HEADERS may come in pieces", async () => {
    await using proxy = await startProxy({
      defaultAction: respond((flow) => ({ body: flow.request.text() })),
      addons: [{ request() {} }],
    });
    await using client = await RawPeer.client(proxy);
    const fields = section(...pseudo("/", "POST"));
    await client.send(
      frame(PING, 0, 0, "12345678"),
      frame(HEADERS, PADDED, 1, Buffer.concat([Buffer.from([3]), fields.subarray(0, 10), Buffer.alloc(3)])),
      frame(CONTINUATION, 0, 1, fields.subarray(10, 20)),
      frame(CONTINUATION, END_HEADERS, 1, fields.subarray(20)),
      frame(DATA, END_STREAM | PADDED, 1, "\x05body\0\0\0\0\0"),
    );
    const pong = await client.find(PING);
    expect([pong.flags, String(pong.payload)]).toEqual([ACK, "12345678"]);
    await client.find(HEADERS);
    expect(String((await client.find(DATA)).payload)).toBe("body");
  });

  test("a head over the limit: 431", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }), limits: { headBytes: 1024 } });
    await using client = await RawPeer.client(proxy);
    await client.request(1, ["x-large", "x".repeat(2000)]);
    expect((await client.find(HEADERS)).fields!.slice(0, 2)).toEqual([":status", "431"]);
    await answers(client, 3);
  });

  test("more streams than are allowed: REFUSED_STREAM", async () => {
    await using proxy = await startProxy({ defaultAction: () => new Promise<void>(() => {}) });
    await using client = await RawPeer.client(proxy);
    for (let i = 0; i < 257; i++) await client.request(2 * i + 1);
    expect(await client.verdict()).toBe("RST_STREAM 513 REFUSED_STREAM");
  });
});
