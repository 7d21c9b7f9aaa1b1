import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { OptionsError } from "../../../src/flow/error.ts";
import { Conversation } from "../../../src/wire/websocket/conversation.ts";
import { client, close, frame, type FrameSpec, play, server, type Step, talk } from "./support.ts";

const bye: Step[] = [client(close(1000)), server(close(1000))];

describe("passes", () => {
  test("text and binary both ways (B65)", () => {
    const { toServer, toClient, told } = play([
      client({ opcode: "text", payload: "Hello" }, { opcode: "binary", payload: "\x00\x01" }),
      server({ opcode: "text", payload: "" }, { opcode: "binary", payload: "x".repeat(70_000) }),
      ...bye,
    ]);
    expect(toServer).toEqual(['text "Hello"', 'binary "\\u0000\\u0001"', 'close 1000 ""']);
    expect(toClient).toEqual(['text ""', "binary (70000)", 'close 1000 ""']);
    expect(told).toEqual([
      'client text "Hello"',
      'client binary "\\u0000\\u0001"',
      'server text ""',
      "server binary (70000)",
      'client close 1000 ""',
      'server close 1000 ""',
      "end clean by client 1000",
    ]);
  });

  test("the fragments of a message as they were (B68)", () => {
    const { toServer, told } = play([
      client(
        { opcode: "text", payload: "He", fin: false },
        { opcode: "more", fin: false },
        { opcode: "more", payload: "llo", fin: false },
        { opcode: "more" },
      ),
    ]);
    expect(toServer).toEqual(['text+ "He"', 'more+ ""', 'more+ "llo"', 'more ""']);
    expect(told).toEqual(['client text "Hello"']);
  });

  test("ping and pong, before a message that is not complete (B69)", () => {
    const { toServer, toClient, told } = play([
      client({ opcode: "text", payload: "a", fin: false }, { opcode: "ping", payload: "1" }),
      server({ opcode: "pong", payload: "1" }, { opcode: "ping" }),
      client({ opcode: "more", payload: "b" }, { opcode: "pong" }),
    ]);
    expect(toServer).toEqual(['ping "1"', 'text+ "a"', 'more "b"', 'pong ""']);
    expect(toClient).toEqual(['pong "1"', 'ping ""']);
    expect(told).toEqual([
      'client ping "1"',
      'server pong "1"',
      'server ping ""',
      'client text "ab"',
      'client pong ""',
    ]);
  });

  test.each<[string, FrameSpec, string, number]>([
    ["a code and a reason", close(4001, "done"), 'close 4001 "done"', 4001],
    ["no code", { opcode: "close" }, 'close ""', 1005],
  ])("a close with %s (B70)", (_, spec, shown, code) => {
    const fromServer = play([server(spec), client(spec)]);
    expect([fromServer.toClient, fromServer.toServer]).toEqual([[shown], [shown]]);
    expect(fromServer.told.at(-1)).toBe(`end clean by server ${code}`);
    const fromClient = play([client(spec), server({ opcode: "text", payload: "late" }, spec)]);
    expect(fromClient.toClient).toEqual(['text "late"', shown]);
    expect(fromClient.told.at(-1)).toBe(`end clean by client ${code}`);
  });

  test("nothing that a side sends after its close", () => {
    const { toServer, told } = play([client(close(1000), { opcode: "text", payload: "late" })]);
    expect(toServer).toEqual(['close 1000 ""']);
    expect(told).toEqual(['client close 1000 ""']);
  });
});

describe("ends", () => {
  test("when a side is cut without a close (B71)", () => {
    const { told, toServer } = play([
      client({ opcode: "text", payload: "a" }, { opcode: "text", payload: "half", fin: false }),
      (it) => it.finish("client"),
    ]);
    expect(toServer).toEqual(['text "a"']);
    expect(told).toEqual(['client text "a"', "end unclean by client 1006"]);
  });

  test("when a side is cut that got a close and sent none", () => {
    const { told } = play([client(close(4000)), (it) => it.finish("server")]);
    expect(told).toEqual(['client close 4000 ""', "end unclean by client 4000"]);
  });

  test("not when a side is cut that has sent a close: the answer is awaited", () => {
    const { told } = play([client(close(4000)), (it) => it.finish("client"), server(close(4000))]);
    expect(told.at(-1)).toBe("end clean by client 4000");
  });

  test("when the proxy closes", () => {
    const { told, toServer, toClient } = play([
      client({ opcode: "text", payload: "half", fin: false }),
      (it) => it.close(1001, "proxy closed"),
      client({ opcode: "more" }),
    ]);
    expect([toServer, toClient]).toEqual([['close 1001 "proxy closed"'], ['close 1001 "proxy closed"']]);
    expect(told).toEqual(["end clean by proxy 1001"]);
    expect(() => new Conversation().close(1006)).toThrow(OptionsError);
  });
});

describe("a side that breaks the protocol (B74)", () => {
  test.each<[string, Step, string, number]>([
    ["an unmasked frame", client({ opcode: "text", masked: false }), "client WS_MASK", 1002],
    ["a masked frame", server({ opcode: "text", masked: true }), "server WS_MASK", 1002],
    ["a reserved bit", server({ opcode: "text", rsv: 4 }), "server WS_RESERVED", 1002],
    ["half a close code", client({ opcode: "close", payload: "x" }), "client WS_CLOSE", 1002],
    ["a close code that is none", server(close(1006)), "server WS_CLOSE", 1002],
    [
      "a close reason that is not UTF-8",
      client({ opcode: "close", payload: Buffer.from([3, 232, 0xff]) }),
      "client WS_UTF8",
      1007,
    ],
    ["text that is not UTF-8", client({ opcode: "text", payload: Buffer.from([0x61, 0xff]) }), "client WS_UTF8", 1007],
    [
      "text that ends in a character",
      server({ opcode: "text", payload: Buffer.from([0xe2, 0x82]) }),
      "server WS_UTF8",
      1007,
    ],
  ])("%s", (_, step, error, code) => {
    const { told, toClient, toServer } = play([client({ opcode: "text", payload: "ok" }), step, ...bye]);
    const by = error.split(" ")[0];
    expect(told).toEqual(['client text "ok"', error, `end unclean by ${by} ${code}`]);
    expect(toClient.map((it) => it.slice(0, 10))).toEqual([`close ${code}`]);
    expect(toServer.map((it) => it.slice(0, 10))).toEqual(['text "ok"', `close ${code}`]);
  });

  test("a character may be divided between frames, and is refused at its first wrong byte", () => {
    const parts = (...bytes: number[]) =>
      bytes.map((byte, i): FrameSpec => ({
        opcode: i === 0 ? "text" : "more",
        payload: Uint8Array.of(byte),
        fin: i === bytes.length - 1,
      }));
    expect(play([client(...parts(0xe2, 0x82, 0xac))]).told).toEqual(['client text "\u00e2\u0082\u00ac"']);
    // Before the frame is complete, let alone the message.
    const half = frame("server", { opcode: "text", payload: Buffer.from([0xf4, 0x90, 0x41, 0x41]) }).subarray(0, 4);
    expect(talk([["server", half]]).told[0]).toBe("server WS_UTF8");
  });

  test("no close frame goes into the middle of a frame", () => {
    const long = frame("client", { opcode: "binary", payload: "x".repeat(1000) });
    const conversation = new Conversation({ holdBytes: 100 });
    conversation.push("client", long.subarray(0, 500));
    conversation.push("server", frame("server", { opcode: 15 }));
    const to: string[] = [];
    for (let event = conversation.next(); event; event = conversation.next()) {
      to.push(event.type === "bytes" ? `${event.to} ${event.bytes.length}` : event.type);
    }
    // The head and what had come of the payload; then the server's error, and a close for the client alone.
    expect(to.slice(0, 3)).toEqual(["server 8", "server 492", "error"]);
    expect(to.slice(3).map((it) => it.split(" ")[0])).toEqual(["client", "end"]);
  });
});
