// Two ends of HTTP/2 that are wired to each other, without sockets.
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { FrameParser } from "../../../src/wire/http2/frame_parser.ts";
import { Http2Session } from "../../../src/wire/http2/session.ts";
import type { Http2Stream } from "../../../src/wire/http2/stream.ts";
import type { BrokenStream, StreamUser } from "../../../src/wire/http2/stream_user.ts";
import { Outgoing } from "../../../src/wire/outgoing.ts";
import { DATA, END_STREAM, frame } from "./raw_peer.ts";

class Recorder implements StreamUser {
  readonly seen: string[] = [];
  length = 0;
  more = true;

  fields(raw: string[], end: boolean): void {
    this.seen.push(`fields ${raw.join(" ")}${end ? " end" : ""}`);
  }

  data(bytes: Uint8Array): boolean {
    this.length += bytes.length;
    return this.more;
  }

  end(): void {
    this.seen.push("end");
  }

  broken({ kind, code }: BrokenStream): void {
    this.seen.push(`${kind} ${code}`);
  }
}

/** A client and a server; what one writes the other receives. */
function pair() {
  const opened: { stream: Http2Stream; raw: string[] | undefined; end: boolean; user: Recorder }[] = [];
  const events: string[] = [];
  const user = {
    closedStream() {},
    goingAway: () => void events.push("goingAway"),
    invalid: (error: Error) => void events.push(error.message),
  };
  const client = new Http2Session("client", outgoing((bytes) => server.receive(bytes)), user, { headBytes: 65_536 });
  const server: Http2Session = new Http2Session("server", outgoing((bytes) => client.receive(bytes)), {
    ...user,
    opened(stream, raw, end) {
      const user = new Recorder();
      stream.user = user;
      opened.push({ stream, raw, end, user });
    },
  }, { headBytes: 65_536 });
  client.start();
  server.start();
  const open = () => {
    const user = new Recorder();
    const stream = client.open();
    stream.user = user;
    return { stream, user };
  };
  return { client, server, opened, events, open };
}

function outgoing(receive: (bytes: Uint8Array) => void): Outgoing {
  const duplex = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      queueMicrotask(() => {
        receive(Buffer.from(bytes));
        done();
      });
    },
  });
  return new Outgoing(duplex);
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("a request and its response, with trailers", async () => {
  const { opened, open } = pair();
  const { stream, user } = open();
  stream.sendFields([":method", "POST"], false);
  stream.write(Buffer.from("hello"));
  stream.end(["x-check", "1"]);
  await settled();
  const [request] = opened;
  expect(request).toMatchObject({ raw: [":method", "POST"], end: false });
  expect(request!.user.seen).toEqual(["fields x-check 1 end", "end"]);
  request!.stream.sendFields([":status", "200"], false);
  request!.stream.end([]);
  await settled();
  expect(user.seen).toEqual(["fields :status 200", "end"]);
  expect(stream.over && request!.stream.over).toBe(true);
});

test("streams get their numbers in the order in which they begin", async () => {
  const { opened, open } = pair();
  const first = open();
  const second = open();
  second.stream.sendFields([":path", "/second"], true);
  first.stream.sendFields([":path", "/first"], true);
  await settled();
  expect(opened.map(({ stream, raw }) => [stream.id, raw![1]])).toEqual([[1, "/second"], [3, "/first"]]);
});

test("a stream on which nothing was sent can be given up without a word", async () => {
  const { client, opened, events, open } = pair();
  open().stream.reset(8);
  const { stream } = open();
  stream.sendFields([":path", "/"], true);
  await settled();
  expect(opened.map(({ stream }) => stream.id)).toEqual([1]);
  expect(client.size).toBe(1);
  expect(events).toEqual([]);
});

describe("flow control", () => {
  test("a stream that is not read stops at its window, and the others go on", async () => {
    const { opened, open } = pair();
    const slow = open();
    const fast = open();
    slow.stream.sendFields([":path", "/slow"], false);
    fast.stream.sendFields([":path", "/fast"], false);
    await settled();
    opened[0]!.stream.stop();
    const piece = Buffer.alloc(100_000);
    for (let i = 0; i < 10; i++) slow.stream.write(piece);
    expect(slow.stream.write(piece)).toBe(false);
    for (let i = 0; i < 10; i++) fast.stream.write(piece);
    fast.stream.end([]);
    await settled();
    expect(opened[1]!.user).toMatchObject({ length: 1_000_000, seen: ["end"] });
    expect(opened[0]!.user.length).toBe(0);
    let drained = false;
    slow.stream.drained(() => drained = true);
    await settled();
    expect(drained).toBe(false);
    opened[0]!.stream.go();
    await settled();
    expect(opened[0]!.user.length).toBe(1_100_000);
    expect(drained).toBe(true);
  });

  test("what has come before a reset of our own is not told", async () => {
    const { opened, open } = pair();
    const { stream } = open();
    stream.sendFields([":path", "/"], false);
    await settled();
    opened[0]!.stream.stop();
    stream.write(Buffer.from("x"));
    await settled();
    opened[0]!.stream.reset(2);
    opened[0]!.stream.go();
    await settled();
    expect(opened[0]!.user).toMatchObject({ length: 0, seen: [] });
  });
});

describe("endings", () => {
  test("a reset is told with its code", async () => {
    const { opened, open } = pair();
    const { stream, user } = open();
    stream.sendFields([":path", "/"], false);
    await settled();
    opened[0]!.stream.reset(11);
    await settled();
    expect(user.seen).toEqual(["reset 11"]);
    expect(stream.over).toBe(true);
    expect(stream.write(Buffer.from("late"))).toBe(true);
  });

  test("GOAWAY: streams above the last one were not seen, the others go on", async () => {
    const { client, server, opened, events, open } = pair();
    const first = open();
    first.stream.sendFields([":path", "/1"], true);
    await settled();
    server.goAway();
    const late = open();
    late.stream.sendFields([":path", "/2"], true);
    const never = open();
    await settled();
    expect(client.available).toBe(false);
    expect(events).toEqual(["goingAway"]);
    expect(late.user.seen).toEqual(["unseen 0"]);
    expect(never.user.seen).toEqual(["unseen 0"]);
    opened[0]!.stream.sendFields([":status", "204"], true);
    await settled();
    expect(first.user.seen).toEqual(["fields :status 204 end", "end"]);
  });

  test("a response that is there is told although its connection is lost", async () => {
    const { client, opened, open } = pair();
    const { stream, user } = open();
    stream.sendFields([":path", "/"], true);
    stream.stop();
    await settled();
    opened[0]!.stream.sendFields([":status", "200"], false);
    opened[0]!.stream.write(Buffer.from("body"));
    opened[0]!.stream.end([]);
    await settled();
    client.lose();
    stream.go();
    expect(user).toMatchObject({ length: 4, seen: ["fields :status 200", "end"] });
  });
});

describe("frames", () => {
  test("data comes out while it arrives, and says only once that it is the end", () => {
    const parser = new FrameParser(false);
    const bytes = frame(DATA, END_STREAM, 3, "hello");
    const seen: string[] = [];
    for (const byte of bytes) {
      parser.push(Buffer.from([byte]));
      for (let it = parser.next(); it !== undefined; it = parser.next()) {
        seen.push(`${it.payload} ${it.flags} ${it.size}`);
      }
    }
    expect(seen).toEqual(["h 0 1", "e 0 1", "l 0 1", "l 0 1", "o 1 1"]);
  });

  test("padding counts for flow control", () => {
    const parser = new FrameParser(false);
    parser.push(frame(DATA, 8, 3, "\x04body\0\0\0\0"));
    const seen = parser.next()!;
    expect([String(seen.payload), seen.size]).toEqual(["body", 9]);
    expect(parser.next()).toBeUndefined();
  });
});
