import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import zlib from "node:zlib";
import type { WebSocketMessage } from "../../../src/flow/websocket.ts";
import type { DeflateParameters } from "../../../src/wire/websocket/conversation.ts";
import { randomFrom } from "../http1/support.ts";
import { every, frames, type FrameSpec, type SeenFrame, show, type Step, talk } from "./support.ts";

/** One side's compression as a library does it: one stream of zlib from the first message to the last. */
class Peer {
  readonly #stream: zlib.DeflateRaw | zlib.InflateRaw;
  readonly #parts: Buffer[] = [];

  constructor(stream: zlib.DeflateRaw | zlib.InflateRaw) {
    this.#stream = stream;
    stream.on("data", (part: Buffer) => this.#parts.push(part));
  }

  async run(bytes: Uint8Array): Promise<Buffer> {
    this.#stream.write(bytes);
    await new Promise<void>((resolve) => this.#stream.flush(zlib.constants.Z_SYNC_FLUSH, resolve));
    return Buffer.concat(this.#parts.splice(0));
  }

  close(): void {
    this.#stream.close();
  }
}

/** The payloads of compressed messages, each of which may refer to those before it. */
async function compress(messages: readonly string[], windowBits: number, takeover: boolean): Promise<Buffer[]> {
  const payloads: Buffer[] = [];
  let peer = new Peer(zlib.createDeflateRaw({ windowBits }));
  for (const message of messages) {
    payloads.push((await peer.run(Buffer.from(message))).subarray(0, -4));
    if (takeover) continue;
    peer.close();
    peer = new Peer(zlib.createDeflateRaw({ windowBits }));
  }
  peer.close();
  return payloads;
}

/** What a receiver with one stream of zlib makes of the frames it gets. */
async function receive(seen: readonly SeenFrame[]): Promise<string[]> {
  const peer = new Peer(zlib.createInflateRaw());
  const messages: string[] = [];
  let pieces: Buffer[] = [];
  let compressed = false;
  for (const { fin, rsv, opcode, payload } of seen) {
    if (opcode >= 8) continue;
    if (opcode > 0) compressed = rsv === 4;
    pieces.push(payload);
    if (!fin) continue;
    const whole = Buffer.concat(pieces);
    const plain = compressed ? await peer.run(Buffer.concat([whole, Buffer.from([0, 0, 255, 255])])) : whole;
    messages.push(plain.toString());
    pieces = [];
  }
  peer.close();
  return messages;
}

/** Compressed messages as frames, each divided into so many. */
function asFrames(payloads: readonly Buffer[], parts: number): FrameSpec[] {
  return payloads.flatMap((payload) =>
    Array.from({ length: parts }, (_, i): FrameSpec => ({
      opcode: i === 0 ? "text" : "more",
      rsv: i === 0 ? 4 : 0,
      fin: i === parts - 1,
      payload: payload.subarray(
        Math.floor((payload.length * i) / parts),
        Math.floor((payload.length * (i + 1)) / parts),
      ),
    }))
  );
}

const both = (windowBits: number, takeover: boolean): DeflateParameters => ({
  client: { windowBits, takeover },
  server: { windowBits, takeover },
});
const random = randomFrom(11);
const word = () => "alpha beta gamma delta epsilon zeta eta theta".split(" ")[Math.floor(random() * 8)];
const MESSAGES = Array.from(
  { length: 12 },
  (_, i) => `${i} ${Array.from({ length: 5 + random() * 400 }, word).join(" ")}`,
);

describe.each([
  { windowBits: 15, takeover: true },
  { windowBits: 15, takeover: false },
  { windowBits: 9, takeover: true },
])("with a window of $windowBits bits, context taken over: $takeover", ({ windowBits, takeover }) => {
  const deflate = both(windowBits, takeover);

  test.each(["client", "server"] as const)("of the %s, untouched messages pass to the byte (B67)", async (from) => {
    const specs = asFrames(await compress(MESSAGES, windowBits, takeover), 3);
    for (const cut of [every(1 << 20), every(1)]) {
      const { toServer, toClient, told, messages } = talk([[from, frames(from, ...specs)]], { deflate, cut });
      const sent = specs.map(({ rsv = 0, fin = true, opcode, payload }) =>
        show({ rsv, fin, opcode: opcode === "text" ? 1 : 0, payload: Buffer.from(payload!) })
      );
      expect(from === "client" ? toServer : toClient).toEqual(sent);
      expect(messages.map((it) => it.text)).toEqual(MESSAGES);
      expect(told.length).toBe(MESSAGES.length);
    }
  });

  test.each<[string, (message: WebSocketMessage) => void, string[]]>([
    ["edited", (it) => it.text.startsWith("3 ") ? it.data = `edited ${MESSAGES[1]}` : undefined, [
      ...MESSAGES.slice(0, 3),
      `edited ${MESSAGES[1]}`,
      ...MESSAGES.slice(4),
    ]],
    ["dropped", (it) => it.text.startsWith("3 ") ? it.drop() : undefined, MESSAGES.filter((_, i) => i !== 3)],
    ["all edited", (it) => it.data = `${it.text}!`, MESSAGES.map((it) => `${it}!`)],
  ])("the receiver can read what follows a message that was %s (B73)", async (_, decide, expected) => {
    const specs = asFrames(await compress(MESSAGES, windowBits, takeover), 2);
    const { frames: { server }, messages } = talk([["client", frames("client", ...specs)]], { deflate, decide });
    expect(await receive(server)).toEqual(expected);
    // What was captured is what was sent, for the sender's side has not changed.
    expect(messages.map((it) => it.size)).toEqual(MESSAGES.map((it) => it.length));
    // A message that was not edited keeps its number of frames, and every one is compressed as it was.
    expect(server.filter((it) => it.opcode === 1 && it.rsv === 4).length).toBe(expected.length);
    const edited = messages.filter((it) => it.edited).length;
    expect(server.length).toBe(expected.length * 2 - edited);
  });

  test("an injected message leaves no trace in the receiver's window", async () => {
    const payloads = await compress(MESSAGES, windowBits, takeover);
    const script = payloads.flatMap((payload): Step[] => [
      ["server", frames("server", { opcode: "text", rsv: 4, payload })],
      (it) => it.inject("client", "injected"),
    ]);
    const { frames: { client } } = talk(script, { deflate });
    expect(await receive(client)).toEqual(MESSAGES.flatMap((it) => [it, "injected"]));
    // To the byte, all the same.
    expect(client.filter((it) => it.rsv === 4).map((it) => it.payload)).toEqual(payloads);
  });
});

test("an edited message goes without compression where its sender has sent it so", async () => {
  const [first, third] = await compress([MESSAGES[0]!, MESSAGES[0]!], 15, true);
  const specs: FrameSpec[] = [
    { opcode: "text", rsv: 4, payload: first! },
    { opcode: "text", payload: "plain" },
    { opcode: "text", rsv: 4, payload: third! },
  ];
  const { frames: { server } } = talk([["client", frames("client", ...specs)]], {
    deflate: both(15, true),
    decide: (message) => message.text === "plain" ? message.data = "edited" : undefined,
  });
  expect(await receive(server)).toEqual([MESSAGES[0], "edited", MESSAGES[0]]);
  // It has left no trace in the window: the third passes to the byte.
  expect(server[2]!.payload.equals(third!)).toBe(true);
});

test("what has to be compressed anew goes without compression where the window is too small for zlib", async () => {
  const specs = asFrames(await compress(["one", "two"], 9, false), 1);
  const { toServer } = talk([["client", frames("client", ...specs)]], {
    deflate: both(8, false),
    decide: (message) => message.text === "one" ? message.data = "1" : undefined,
  });
  expect(toServer[0]).toBe('text "1"');
  expect(toServer[1]!.startsWith("text* ")).toBe(true);
});

describe("a compressed message", () => {
  const deflate = both(15, true);
  const long = "0123456789".repeat(1000);

  test("that inflates beyond what is kept passes, cut in the capture, and the next can be read", async () => {
    const specs = asFrames(await compress([long, "next", long], 15, true), 1);
    const { frames: { server }, told } = talk([["client", frames("client", ...specs)]], { deflate, keepBytes: 1000 });
    expect(told).toEqual([
      "client text (1000) passed of 10000",
      'client text "next"',
      "client text (1000) passed of 10000",
    ]);
    expect(await receive(server)).toEqual([long, "next", long]);
  });

  test("that is itself too long to be held passes frame by frame", async () => {
    const specs = asFrames(await compress([long, long], 15, true), 4);
    const { told, toServer } = talk([["client", frames("client", ...specs)]], { deflate, holdBytes: 20 });
    expect(told).toEqual(["client text (10000) passed", "client text (10000) passed"]);
    expect(toServer.length).toBe(8);
  });

  test("is compressed anew after an edit also when it is too long to be edited", async () => {
    const specs = asFrames(await compress(["first", long, "first", long], 15, true), 2);
    const { frames: { server }, told } = talk([["client", frames("client", ...specs)]], {
      deflate,
      keepBytes: 100,
      decide: (message) => message.data = "edited",
    });
    expect(told[1]).toBe("client text (100) passed of 10000");
    expect(await receive(server)).toEqual(["edited", long, "edited", long]);
  });

  test.each<[string, number, string]>([
    ["that inflates to too much", 9999, "client WS_TOO_LARGE"],
    ["that is too long before it is inflated", 10, "client WS_TOO_LARGE"],
  ])("%s is refused with 1009", async (_, inflateBytes, error) => {
    const specs = asFrames(await compress([long], 15, true), 1);
    const { told } = talk([["client", frames("client", ...specs)]], { deflate, inflateBytes });
    expect(told).toEqual([error, "end unclean by client 1009"]);
  });

  test.each<[string, Uint8Array, string]>([
    ["that cannot be inflated", Buffer.from("ffffff", "hex"), "client WS_DEFLATE"],
    ["of text that is not UTF-8", zlib.deflateRawSync(Buffer.from([0x61, 0xff])), "client WS_UTF8"],
  ])("%s is refused with 1007", (_, payload, error) => {
    const { told } = talk([["client", frames("client", { opcode: "text", rsv: 4, payload })]], { deflate });
    expect(told).toEqual([error, "end unclean by client 1007"]);
  });
});
