/**
 * Feeds bytes to the parser in every way they can arrive, and sums up what it said.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { expect } from "vitest";
import type { RequestHead, ResponseHead } from "../../../src/wire/http1/head.ts";
import { type Http1Event, Http1Parser } from "../../../src/wire/http1/parser.ts";
import { ProtocolError } from "../../../src/wire/http1/protocol_error.ts";

export interface Message {
  readonly head: RequestHead | ResponseHead;
  /** The body, latin1. */
  body: string;
  /** `[announced size, received size]` of each transfer chunk. */
  chunks: [number, number][];
  /** The raw trailers, once the message has ended. */
  trailers?: string;
}

export interface Reading {
  messages: Message[];
  /** `"CODE status"` of the error that ended it. */
  error?: string;
  /** The bytes left over, latin1. */
  rest: string;
}

export interface Setting {
  /** Methods of the requests that responses answer. */
  readonly asks?: readonly string[];
  readonly headBytes?: number;
  /** Whether the peer closes after the bytes. */
  readonly closes?: boolean;
}

/** Reads the input whole, byte by byte, and in random pieces, and checks that it makes no difference. */
export function read(kind: "request" | "response", input: string, setting: Setting = {}): Reading {
  const bytes = Buffer.from(input, "latin1");
  const whole = feed(kind, [bytes], setting);
  // Quadratic work would show up here: long inputs are not fed byte by byte in every table, but once in a test of their own.
  if (bytes.length <= 4096) expect(feed(kind, pieces(bytes, () => 1), setting)).toEqual(whole);
  const random = randomFrom(bytes.length + 1);
  for (const size of [3, 10, 50, 200]) {
    expect(feed(kind, pieces(bytes, () => 1 + Math.floor(random() * size)), setting)).toEqual(whole);
  }
  return whole;
}

export const readRequest = (input: string, setting?: Setting): Reading => read("request", input, setting);
export const readResponse = (input: string, setting?: Setting): Reading => read("response", input, setting);

/** The head of the only message in the input, which must be whole. */
export function requestHead(input: string, setting?: Setting): RequestHead {
  const head = onlyMessage(readRequest(input, setting)).head;
  if (head.kind !== "request") throw new Error("not a request");
  return head;
}

/** The head of the only message in the input, which must be whole. */
export function responseHead(input: string, setting?: Setting): ResponseHead {
  const head = onlyMessage(readResponse(input, setting)).head;
  if (head.kind !== "response") throw new Error("not a response");
  return head;
}

/** The one message that was read, whole. */
export function onlyMessage(reading: Reading): Message {
  expect(reading.error).toBe(undefined);
  expect(reading.messages.length).toBe(1);
  expect(reading.messages[0]!.trailers).not.toBe(undefined);
  return reading.messages[0]!;
}

/** Feeds pieces and sums up the events. Any error but a ProtocolError is thrown, as is one that does not come again. */
export function feed(kind: "request" | "response", input: readonly Uint8Array[], setting: Setting = {}): Reading {
  const parser = new Http1Parser(kind, setting.headBytes === undefined ? {} : { headBytes: setting.headBytes });
  for (const method of setting.asks ?? []) parser.answers(method);
  const messages: Message[] = [];
  let events = 0;
  const note = (event: Http1Event) => {
    if (++events > 1e6) throw new Error("the parser does not stop");
    add(messages, event);
  };
  const length = input.reduce((sum, piece) => sum + piece.length, 0);
  try {
    for (const piece of input) {
      parser.push(piece);
      for (let event = parser.next(); event !== undefined; event = parser.next()) note(event);
    }
    if (setting.closes) { for (let event = parser.finish(); event !== undefined; event = parser.finish()) note(event); }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    expect(() => parser.next()).toThrow(error);
    expect(() => parser.finish()).toThrow(error);
    return { messages, error: `${error.code} ${error.status}`, rest: "" };
  }
  expect(parser.buffered <= length).toBe(true);
  return { messages, rest: parser.rest().toString("latin1") };
}

function add(messages: Message[], event: Http1Event): void {
  if (event.type === "head") {
    messages.push({ head: event.head, body: "", chunks: [] });
    return;
  }
  const message = messages.at(-1);
  if (message === undefined || message.trailers !== undefined) throw new Error(`${event.type} outside of a message`);
  if (event.type === "end") {
    message.trailers = event.trailers;
    return;
  }
  expect(event.data.length).toBeGreaterThan(0);
  message.body += Buffer.from(event.data).toString("latin1");
  if (event.chunk > 0) message.chunks.push([event.chunk, 0]);
  const chunk = message.chunks.at(-1);
  if (chunk !== undefined) {
    chunk[1] += event.data.length;
    expect(event.final).toBe(chunk[0] === chunk[1]);
  } else {
    expect(event.final).toBe(false);
  }
}

/** Cuts the bytes into copies of the sizes that `size` gives. */
export function pieces(bytes: Uint8Array, size: () => number): Uint8Array[] {
  const cut: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + size());
    cut.push(bytes.slice(at, end));
    at = end;
  }
  return cut;
}

/** A small seeded generator (mulberry32): tests are the same every time. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
