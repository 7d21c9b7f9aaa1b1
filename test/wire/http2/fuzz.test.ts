// Frames and field sections that are nearly right, without sockets.
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { FieldDecoder } from "../../../src/wire/http2/hpack/decoder.ts";
import { Http2Error } from "../../../src/wire/http2/http2_error.ts";
import { Http2Session } from "../../../src/wire/http2/session.ts";
import type { StreamUser } from "../../../src/wire/http2/stream_user.ts";
import { Outgoing } from "../../../src/wire/outgoing.ts";
import { mutateBytes } from "../../support/mutate_bytes.ts";
import { pieces, randomFrom } from "../http1/support.ts";
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  HEADERS,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  pseudo,
  RST_STREAM,
  section,
  SETTINGS,
  uint32,
  WINDOW_UPDATE,
} from "./raw_peer.ts";

const ROUNDS = 2000;
/** The first request of RFC 7541 appendix C.4. */
const HUFFMAN = Buffer.from("828684418cf1e3c2e5f23a6ba0ab90f4ff", "hex");

const CONVERSATIONS: Buffer[] = [
  Buffer.concat([
    frame(SETTINGS, 0, 0, Buffer.from("000300000064000400100000", "hex")),
    frame(WINDOW_UPDATE, 0, 0, uint32(100_000)),
    frame(HEADERS, END_HEADERS, 1, section(...pseudo("/a", "POST"), ["x-a", "b"])),
    frame(DATA, PADDED, 1, "\x03hello\0\0\0"),
    frame(HEADERS, END_HEADERS | END_STREAM, 1, section(["x-sum", "1"])),
    frame(PING, 0, 0, "12345678"),
    frame(RST_STREAM, 0, 1, uint32(8)),
    frame(GOAWAY, 0, 0, Buffer.alloc(8)),
  ]),
  Buffer.concat([
    frame(SETTINGS, 0, 0),
    frame(SETTINGS, ACK, 0),
    frame(HEADERS, END_STREAM, 1, HUFFMAN.subarray(0, 9)),
    frame(CONTINUATION, END_HEADERS, 1, HUFFMAN.subarray(9)),
    frame(PRIORITY, 0, 5, Buffer.from("0000000010", "hex")),
    frame(WINDOW_UPDATE, 0, 1, uint32(2 ** 31 - 1)),
    frame(0xb, 0, 0, "??"),
  ]),
];

/** What a session makes of some bytes, in one line. */
function read(role: "client" | "server", parts: Uint8Array[]): string {
  const said: string[] = [];
  const user = (id: number): StreamUser => {
    let length = 0;
    return {
      fields: (raw, end) => void said.push(`${id} fields ${raw.join()} ${end}`),
      data(piece) {
        length += piece.length;
        return true;
      },
      end: () => void said.push(`${id} end ${length}`),
      broken: ({ kind, code }) => void said.push(`${id} ${kind} ${code}`),
    };
  };
  const sink = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() });
  const session = new Http2Session(role, new Outgoing(sink), {
    closedStream() {},
    goingAway: () => void said.push("going away"),
    invalid: (error: Error) => void said.push(error.message),
    opened(stream, raw, end) {
      stream.user = user(stream.id);
      said.push(`${stream.id} opened ${raw?.join()} ${end}`);
    },
  }, { headBytes: 65_536 });
  session.start();
  if (role === "client") {
    const stream = session.open();
    stream.user = user(1);
    stream.sendFields(pseudo().flat(), true);
  }
  for (const part of role === "server" ? [Buffer.from(PREFACE), ...parts] : parts) session.receive(part);
  sink.destroy();
  return said.join("; ");
}

test.each(["server", "client"] as const)(
  "B60 B61 mutated frames to a %s: the same however they are split, and no error escapes",
  (role) => {
    const random = randomFrom(31);
    const kinds = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = mutateBytes(CONVERSATIONS[round % CONVERSATIONS.length]!, random);
      const whole = read(role, [bytes]);
      const split = read(role, pieces(bytes, () => 1 + Math.floor(random() * 20)));
      if (split !== whole) expect([split, bytes.toString("hex")]).toEqual([whole, ""]);
      kinds.add(whole);
    }
    // They were neither all good nor all refused in the same way.
    expect(kinds.size).toBeGreaterThan(50);
  },
);

test("mutated field sections: fields or an Http2Error", () => {
  const random = randomFrom(32);
  const seed = Buffer.concat([
    HUFFMAN,
    Buffer.from("400a637573746f6d2d6b65790d637573746f6d2d6865616465723fe120", "hex"),
  ]);
  let errors = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const decoder = new FieldDecoder(65_536);
    const bytes = mutateBytes(seed, random);
    try {
      // The second time the table has what the first one has put there.
      for (let i = 0; i < 2; i++) expect((decoder.decode(bytes) ?? []).length % 2).toBe(0);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      errors++;
    }
  }
  expect(errors).toBeGreaterThan(ROUNDS / 10);
  expect(errors).toBeLessThan(ROUNDS);
});
