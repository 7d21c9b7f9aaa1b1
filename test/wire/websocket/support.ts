/**
 * Frames written and read by hand, independently of the codec, and conversations summed up.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { expect } from "vitest";
import type { Side, WebSocketMessage } from "../../../src/flow/websocket.ts";
import {
  Conversation,
  type ConversationEvent,
  type ConversationOptions,
} from "../../../src/wire/websocket/conversation.ts";
import { FrameParser, type FrameParserOptions } from "../../../src/wire/websocket/frame_parser.ts";
import { WebSocketError } from "../../../src/wire/websocket/websocket_error.ts";

export const OPCODES = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameSpec {
  /** 0 to 15, or one of the usual names. */
  readonly opcode: keyof typeof OPCODES | number;
  readonly payload?: string | Uint8Array;
  /** Default: true. */
  readonly fin?: boolean;
  /** The three reserved bits: 4 is RSV1. */
  readonly rsv?: number;
  /** Default: as the side has to. */
  readonly masked?: boolean;
  /** In how many bits the length is written. Default: the shortest. */
  readonly form?: 7 | 16 | 64;
}

/** A frame as it stands on the wire. */
export function frame(from: Side, spec: FrameSpec): Buffer {
  const payload = bytesOf(spec.payload ?? "");
  const opcode = typeof spec.opcode === "number" ? spec.opcode : OPCODES[spec.opcode];
  const masked = spec.masked ?? from === "client";
  const form = spec.form ?? (payload.length < 126 ? 7 : payload.length < 65536 ? 16 : 64);
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10);
  head[0] = (spec.fin === false ? 0 : 0x80) | ((spec.rsv ?? 0) << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (form === 7 ? payload.length : form === 16 ? 126 : 127);
  if (form === 16) head.writeUInt16BE(payload.length, 2);
  if (form === 64) head.writeBigUInt64BE(BigInt(payload.length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  return Buffer.concat([head, key, payload.map((byte, i) => byte ^ key[i % 4]!)]);
}

export const frames = (from: Side, ...specs: FrameSpec[]): Buffer => Buffer.concat(specs.map((it) => frame(from, it)));

export interface SeenFrame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** Reads whole frames. */
export function readFrames(bytes: Uint8Array): SeenFrame[] {
  const seen: SeenFrame[] = [];
  const all = Buffer.from(bytes);
  for (let at = 0; at < all.length;) {
    const [first, second] = [all[at]!, all[at + 1]!];
    at += 2;
    let length = second & 0x7f;
    if (length === 126) {
      length = all.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(all.readBigUInt64BE(at));
      at += 8;
    }
    const masked = second >= 0x80;
    const key = masked ? all.subarray(at, at += 4) : Buffer.alloc(4);
    if (at + length > all.length) throw new Error("a frame is not whole");
    const payload = Buffer.from(all.subarray(at, at += length).map((byte, i) => byte ^ key[i % 4]!));
    seen.push({ fin: first >= 0x80, rsv: (first >> 4) & 7, opcode: first & 15, masked, payload });
  }
  return seen;
}

/** A frame in a few characters: `text "Hello"`, `text+ "Hel"` (more follows), `text* "..."` (RSV1), `close 1000 "bye"`. */
export function show({ fin, rsv, opcode, payload }: Omit<SeenFrame, "masked">): string {
  const name = Object.entries(OPCODES).find(([, value]) => value === opcode)?.[0] ?? `0x${opcode.toString(16)}`;
  const marks = (rsv === 4 ? "*" : "") + (fin ? "" : "+");
  if (opcode !== OPCODES.close || payload.length < 2) return `${name}${marks} ${text(payload)}`;
  return `${name}${marks} ${payload.readUInt16BE(0)} ${text(payload.subarray(2))}`;
}

/** What the frame parser makes of bytes: frames, and the code of the error that ended it. */
export function parse(from: Side, input: readonly Uint8Array[], options: FrameParserOptions = {}): string[] {
  const parser = new FrameParser(from, options);
  const seen: string[] = [];
  let current: { fin: boolean; rsv: number; opcode: number; length: number; payload: Buffer } | undefined;
  try {
    for (const piece of input) {
      parser.push(piece);
      for (let event = parser.next(); event !== undefined; event = parser.next()) {
        if (event.type === "control") {
          seen.push(show({ fin: true, rsv: 0, opcode: event.opcode, payload: event.data }));
        } else if (event.type === "head") {
          expect(current).toBe(undefined);
          const { fin, compressed, opcode, length } = event.head;
          current = { fin, rsv: compressed ? 4 : 0, opcode, length, payload: Buffer.alloc(0) };
        } else {
          if (current === undefined) throw new Error("data outside of a frame");
          current.payload = Buffer.concat([current.payload, event.data]);
          expect(event.final).toBe(current.payload.length === current.length);
          if (!event.final) continue;
          seen.push(show(current));
          current = undefined;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof WebSocketError)) throw error;
    expect(() => parser.next()).toThrow(error);
    seen.push(`${error.code} ${error.closeCode}`);
  }
  return seen;
}

/** A thing to do to a conversation: bytes that a side sends, or anything else. */
export type Step = readonly [Side, Uint8Array] | ((conversation: Conversation) => void);

export interface Outcome {
  /** What each side got, as frames. */
  toClient: string[];
  toServer: string[];
  /** What was told, without the bytes. */
  told: string[];
  /** The frames themselves. */
  frames: { client: SeenFrame[]; server: SeenFrame[] };
  messages: WebSocketMessage[];
}

export interface Talk extends ConversationOptions {
  /** Decides on a message before it is released. Default: nothing is changed. */
  readonly decide?: (message: WebSocketMessage) => void;
  /** Cuts what is sent. Default: as it is. */
  readonly cut?: (bytes: Uint8Array) => Uint8Array[];
}

/** Plays a script and sums up what came of it. */
export function talk(script: readonly Step[], { decide, cut = (it) => [it], ...options }: Talk = {}): Outcome {
  const conversation = new Conversation({ now: () => 0, ...options });
  const written = { client: [] as Uint8Array[], server: [] as Uint8Array[] };
  const told: string[] = [];
  const messages: WebSocketMessage[] = [];
  const pull = () => {
    for (let event = conversation.next(); event !== undefined; event = conversation.next()) {
      if (event.type === "bytes") {
        written[event.to].push(event.bytes);
        continue;
      }
      told.push(describe(event));
      if (event.type !== "message") continue;
      messages.push(event.message);
      if (!event.held) continue;
      expect(conversation.holds(event.message.from)).toBe(true);
      decide?.(event.message);
      conversation.release(event.message);
    }
  };
  for (const step of script) {
    if (typeof step === "function") {
      step(conversation);
      pull();
      continue;
    }
    for (const piece of cut(step[1])) {
      conversation.push(step[0], piece);
      pull();
    }
  }
  const seen = { client: readFrames(Buffer.concat(written.client)), server: readFrames(Buffer.concat(written.server)) };
  for (const it of seen.client) expect(it.masked).toBe(false);
  for (const it of seen.server) expect(it.masked).toBe(true);
  return { toClient: seen.client.map(show), toServer: seen.server.map(show), told, frames: seen, messages };
}

/** Frames that the client sends. */
export const client = (...specs: FrameSpec[]): Step => ["client", frames("client", ...specs)];
/** Frames that the server sends. */
export const server = (...specs: FrameSpec[]): Step => ["server", frames("server", ...specs)];

/** A close frame. */
export const close = (code: number, reason = ""): FrameSpec => ({
  opcode: "close",
  payload: Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]),
});

/** Plays a script with the bytes as they are, and cut in two ways: it must make no difference. */
export function play(script: readonly Step[], options: Talk = {}): Outcome {
  const whole = talk(script, options);
  for (const size of [1, 3, 7]) {
    const { told, toClient, toServer } = talk(script, { ...options, cut: every(size) });
    expect({ told, toClient, toServer }).toEqual({
      told: whole.told,
      toClient: whole.toClient,
      toServer: whole.toServer,
    });
  }
  return whole;
}

/** An event in a few characters. */
export function describe(event: Exclude<ConversationEvent, { type: "bytes" }>): string {
  switch (event.type) {
    case "message": {
      const { from, type, data, truncated, injected, size } = event.message;
      const marks = (event.held ? "" : " passed") + (injected ? " injected" : "") + (truncated ? ` of ${size}` : "");
      return `${from} ${type} ${text(Buffer.from(data))}${marks}`;
    }
    case "ping":
    case "pong":
      return `${event.from} ${event.type} ${text(Buffer.from(event.data))}`;
    case "close":
      return `${event.from} close ${event.code} ${JSON.stringify(event.reason)}`;
    case "error":
      return `${event.from} ${event.error.code}`;
    case "end":
      return `end ${event.clean ? "clean" : "unclean"} by ${event.by} ${event.code}`;
  }
}

/** The payload, quoted; long ones by their size. */
export function text(payload: Buffer): string {
  return payload.length > 40 ? `(${payload.length})` : JSON.stringify(payload.toString("latin1"));
}

export function bytesOf(payload: string | Uint8Array): Uint8Array {
  return typeof payload === "string" ? Buffer.from(payload, "utf8") : payload;
}

/** Cuts bytes into copies of `size` bytes. */
export function every(size: number): (bytes: Uint8Array) => Uint8Array[] {
  return (bytes) => {
    const cut: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) cut.push(bytes.slice(at, at + size));
    return cut;
  };
}
