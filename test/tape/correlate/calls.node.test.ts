// Values that are new in every run, in gRPC. @grpc/grpc-js on both ends, which runs on Node; the messages are protobuf by hand.
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { readFile } from "node:fs/promises";
import grpc from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { startProxy, type TapeOptions } from "../../../src/mod.ts";
import { tempFolder } from "../../support/temp.ts";

const bytes = { serialize: (it: Buffer) => it, deserialize: (it: Buffer) => it };
const method = (path: string, streams: boolean) => ({
  path,
  requestStream: streams,
  responseStream: streams,
  requestSerialize: bytes.serialize,
  requestDeserialize: bytes.deserialize,
  responseSerialize: bytes.serialize,
  responseDeserialize: bytes.deserialize,
});
const TALK = method("/shop.Cart/Talk", true);
const ADD = method("/shop.Cart/Add", false);

/** `{ 1: { 1: id, 2: what }, 2: 150 }` */
const message = (id: string, what: string) => {
  const text = (tag: number, value: Buffer) => Buffer.concat([Buffer.of(tag * 8 + 2, value.length), value]);
  return Buffer.concat([
    text(1, Buffer.concat([text(1, Buffer.from(id)), text(2, Buffer.from(what))])),
    Buffer.of(2 * 8, 150, 1),
  ]);
};
const idOf = (reply: Buffer) => reply.subarray(4, 4 + reply[3]!).toString();

/** Repeats what it hears. */
async function startServer(): Promise<{ port: number; stop(): void }> {
  const server = new grpc.Server();
  server.addService({ talk: TALK, add: ADD }, {
    talk(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      call.on("data", (it: Buffer) => call.write(it));
      call.on("end", () => call.end());
    },
    add: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => done(null, call.request),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, it) => {
      if (error) reject(error);
      else resolve(it);
    })
  );
  return { port, stop: () => server.forceShutdown() };
}

afterEach(() => void delete process.env["grpc_proxy"]);

async function run(tape: TapeOptions, port: number, messages: readonly Buffer[]): Promise<(Buffer | number)[]> {
  const proxy = await startProxy({ tape, upstream: { hosts: { "shop.test": `127.0.0.1:${port}` } } });
  process.env["grpc_proxy"] = proxy.url;
  const client = new grpc.Client("shop.test:80", grpc.credentials.createInsecure());
  const got: (Buffer | number)[] = [];
  try {
    const call = client.makeBidiStreamRequest(TALK.path, bytes.serialize, bytes.deserialize);
    const answers = call[Symbol.asyncIterator]();
    try {
      for (const it of messages) {
        call.write(it);
        got.push((await answers.next()).value as Buffer);
      }
      call.end();
      await answers.next();
    } catch (error) {
      got.push((error as { code: number }).code);
    }
    got.push(
      await new Promise<Buffer | number>((resolve) =>
        client.makeUnaryRequest(
          ADD.path,
          bytes.serialize,
          bytes.deserialize,
          messages[0]!,
          (error, reply) => resolve(error ? error.code : reply!),
        )
      ),
    );
  } finally {
    client.close();
    await proxy.close().catch(() => {});
  }
  return got;
}

test("identifiers in turns and in single calls: each answer has those of this run, of any length", async () => {
  await using folder = await tempFolder();
  const path = folder.file("calls.har");
  const server = await startServer();
  await run({ path, mode: "record" }, server.port, [message(randomUUID(), "red"), message(randomUUID(), "blue")]);
  server.stop();
  for (const [a, b] of [[randomUUID(), randomUUID()], ["01J9ZQ4N8X6T2V3W5Y7B1C0DEF", randomUUID()]] as const) {
    const got = await run({ path, mode: "replay" }, server.port, [message(a, "red"), message(b, "blue")]);
    expect(got.map((it) => typeof it === "number" ? it : idOf(it))).toEqual([a, b, a]);
    expect(got[0]).toEqual(message(a, "red"));
  }
  const off = await run({ path, mode: "replay", match: { correlate: false } }, server.port, [message("x", "red")]);
  expect(off.every((it) => typeof it === "number")).toBe(true);
  const other = await run({ path, mode: "replay" }, server.port, [message(randomUUID(), "green")]);
  expect(other.every((it) => typeof it === "number")).toBe(true);
});

test("secrets of any length stand for each other", async () => {
  await using folder = await tempFolder();
  const path = folder.file("calls.har");
  const token = (length: number) => `sk_live_${"a1B2c3D4e5F6".repeat(4).slice(0, length - 8)}`;
  const server = await startServer();
  await run({ path, mode: "record" }, server.port, [message(token(40), "red")]);
  server.stop();
  expect(await readFile(path, "utf8")).not.toContain(Buffer.from(token(40)).toString("base64").slice(12, 40));
  for (const length of [40, 44]) {
    const got = await run({ path, mode: "replay" }, server.port, [message(token(length), "red")]);
    expect(got.map((it) => typeof it === "number" ? it : idOf(it))).toEqual(["*".repeat(40), "*".repeat(40)]);
  }
});
