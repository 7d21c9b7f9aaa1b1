import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { OptionsError } from "../../../src/flow/error.ts";
import type { WebSocketMessage } from "../../../src/flow/websocket.ts";
import { Conversation } from "../../../src/wire/websocket/conversation.ts";
import { client, close, every, frame, frames, type FrameSpec, play, server, talk } from "./support.ts";

describe("a hook (B73)", () => {
  const decideOn = (text: string, decide: (message: WebSocketMessage) => void) => ({
    decide: (message: WebSocketMessage) => message.text === text ? decide(message) : undefined,
  });

  test("edits a message: it goes as one frame", () => {
    const { toServer, messages } = play(
      [
        client(
          { opcode: "text", payload: "a", fin: false },
          { opcode: "more", payload: "b" },
          { opcode: "text", payload: "c" },
        ),
      ],
      decideOn("ab", (message) => message.data = "edited \u20ac"),
    );
    expect(toServer).toEqual(['text "edited \u00e2\u0082\u00ac"', 'text "c"']);
    expect(messages[0]!.edited).toBe(true);
    expect(messages[0]!.size).toBe(2);
  });

  test("drops a message", () => {
    const script = [client(...["a", "b", "c"].map((payload): FrameSpec => ({ opcode: "text", payload })))];
    const { toServer, messages } = play(script, decideOn("b", (message) => message.drop()));
    expect(toServer).toEqual(['text "a"', 'text "c"']);
    expect(messages.map((it) => it.dropped)).toEqual([false, true, false]);
  });

  test("cannot make text that is none, nor change what has passed", () => {
    const { messages } = talk([client({ opcode: "text", payload: "a" })], {
      decide: (message) => expect(() => message.data = Uint8Array.of(0xff)).toThrow(OptionsError),
    });
    expect(() => messages[0]!.data = "late").toThrow("has passed");
    expect(() => messages[0]!.drop()).toThrow("has passed");
  });

  test("injects messages both ways", () => {
    const { toServer, toClient, told, messages } = play([
      client({ opcode: "text", payload: "half", fin: false }),
      (it) => {
        expect(it.inject("server", "to server").from).toBe("client");
        it.inject("client", Uint8Array.of(1, 2));
      },
      client({ opcode: "more" }),
    ]);
    expect(toServer).toEqual(['text "to server"', 'text+ "half"', 'more ""']);
    expect(toClient).toEqual(['binary "\\u0001\\u0002"']);
    expect(told.slice(0, 2)).toEqual([
      'client text "to server" passed injected',
      'server binary "\\u0001\\u0002" passed injected',
    ]);
    expect(messages.map((it) => it.injected)).toEqual([true, true, false]);
  });

  test("cannot inject after a close", () => {
    talk([client(close(1000)), (it) => {
      expect(() => it.inject("server", "late")).toThrow("nothing can be sent to the server");
      it.inject("client", "in time");
    }]);
  });

  test("takes its time: only that direction waits", () => {
    const conversation = new Conversation();
    conversation.push("client", frames("client", { opcode: "text", payload: "1" }, { opcode: "ping" }));
    const first = conversation.next();
    if (first?.type !== "message") throw new Error("no message");
    conversation.push("client", frame("client", { opcode: "text", payload: "2" }));
    conversation.push("server", frame("server", { opcode: "ping" }));
    expect([conversation.next()?.type, conversation.next()?.type, conversation.next()]).toEqual([
      "ping",
      "bytes",
      undefined,
    ]);
    expect([conversation.holds("client"), conversation.holds("server")]).toEqual([true, false]);
    expect(conversation.buffered("client")).toBeGreaterThan(0);
    // The end of the connection waits too.
    conversation.finish("client");
    expect(conversation.next()).toBe(undefined);
    conversation.release(first.message);
    conversation.release(first.message);
    const types: string[] = [];
    for (let event = conversation.next(); event; event = conversation.next()) types.push(event.type);
    expect(types).toEqual(["bytes", "ping", "bytes", "message"]);
  });
});

describe("a message that is too long to be held", () => {
  test("passes as it arrives, and its beginning is kept", () => {
    const { toServer, told, messages } = play([
      client({ opcode: "text", payload: "x".repeat(60), fin: false }, { opcode: "ping" }, {
        opcode: "more",
        payload: "y".repeat(60),
      }, { opcode: "text", payload: "short" }),
    ], { holdBytes: 100, keepBytes: 100, decide: (message) => message.data = "edited" });
    expect(toServer).toEqual(['ping ""', "text+ (60)", "more (60)", 'text "edited"']);
    expect(told[1]).toBe("client text (100) passed of 120");
    expect(() => messages[0]!.drop()).toThrow("too long to be held");
  });

  test("passes before it is complete", () => {
    const bytes = frame("server", { opcode: "binary", payload: "x".repeat(1000) });
    const conversation = new Conversation({ holdBytes: 100 });
    let written = 0;
    for (const piece of every(10)(bytes)) {
      conversation.push("server", piece);
      for (let event = conversation.next(); event; event = conversation.next()) {
        if (event.type === "bytes") written += event.bytes.length;
      }
    }
    expect(written).toBe(bytes.length);
    conversation.push("server", bytes.subarray(0, 300));
    conversation.next();
    expect(conversation.next()).toMatchObject({ type: "bytes", bytes: { length: 296 } });
  });

  test("with holdBytes 0 every message does", () => {
    const { toServer, told } = play([client({ opcode: "text" }, { opcode: "text", payload: "a" })], { holdBytes: 0 });
    expect(toServer).toEqual(['text ""', 'text "a"']);
    expect(told).toEqual(['client text "" passed', 'client text "a" passed']);
  });

  test("is not interrupted by an injected one, which waits for its end", () => {
    const { toServer } = play([
      client({ opcode: "text", payload: "a", fin: false }),
      (it) => it.inject("server", "injected"),
      client({ opcode: "more", payload: "b" }),
    ], { holdBytes: 0 });
    expect(toServer).toEqual(['text+ "a"', 'more "b"', 'text "injected"']);
  });

  test("may be made of any number of frames", () => {
    const many = Buffer.concat(Array.from({ length: 5000 }, () => frame("server", { opcode: "more", fin: false })));
    const { toClient } = talk([server({ opcode: "text", fin: false }), ["server", many], server({ opcode: "more" })], {
      holdBytes: 1000,
      keepBytes: 1000,
    });
    expect(toClient.length).toBe(5002);
  });
});
