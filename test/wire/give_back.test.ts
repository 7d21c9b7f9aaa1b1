/** The memory of large reads, which is given back when their bytes have left: nobody may miss them. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { type HttpFlow, startProxy } from "../../src/mod.ts";
import { giveBack, isWholeRead } from "../../src/wire/give_back.ts";
import { Outgoing } from "../../src/wire/outgoing.ts";
import { testCa } from "../support/certificates.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startOrigin } from "../support/origin.ts";
import { startRawServer } from "../support/raw_server.ts";
import { runtime } from "../support/runtime.ts";

const KEPT = 100_000;
const BIG = randomBytes(6_000_000);

/** In chunks that are neither as large as a read nor a part of one. */
async function* chunks() {
  for (let at = 0; at < BIG.length; at += 150_000) yield BIG.subarray(at, at + 150_000);
}

describe.each([["http", undefined], ["https", true]] as const)("over %s", (_scheme, tls) => {
  test.each([["of a known length", () => BIG], ["in chunks", chunks]] as const)(
    "a response %s arrives whole, and the flow has as much of it as is kept",
    async (_how, body) => {
      await using origin = await startOrigin(() => ({ body: body() }), { tls });
      await using proxy = await startProxy({ upstream: { ca: testCa().cert }, capture: { maxBody: KEPT } });

      const response = await proxy.fetch(`${origin.url}/`);
      const got = Buffer.from(await response.arrayBuffer());

      expect(got.equals(BIG)).toBe(true);
      const [flow] = await proxy.waitFor({ host: "127.0.0.1" }) as unknown as HttpFlow[];
      expect(Buffer.from(flow!.response!.body).equals(BIG.subarray(0, KEPT))).toBe(true);
    },
  );

  test("a response that is kept whole is left alone", async () => {
    await using origin = await startOrigin(() => ({ body: BIG }), { tls });
    await using proxy = await startProxy({ upstream: { ca: testCa().cert } });

    const response = await proxy.fetch(`${origin.url}/`);
    await response.arrayBuffer();

    const [flow] = await proxy.waitFor({ host: "127.0.0.1" }) as unknown as HttpFlow[];
    expect(Buffer.from(flow!.response!.body).equals(BIG)).toBe(true);
  });

  test("a request arrives whole, and the flow has as much of it as is kept", async () => {
    await using origin = await startOrigin(() => ({ body: "ok" }), { tls });
    await using proxy = await startProxy({ upstream: { ca: testCa().cert }, capture: { maxBody: KEPT } });

    const response = await proxy.fetch(`${origin.url}/`, { method: "POST", body: BIG });
    await response.text();

    expect(Buffer.from(origin.requests[0]!.body).equals(BIG)).toBe(true);
    const [flow] = await proxy.waitFor({ method: "POST" }) as unknown as HttpFlow[];
    expect(Buffer.from(flow!.request.body).equals(BIG.subarray(0, KEPT))).toBe(true);
  });
});

describe("what has left", () => {
  test(`through a socket ${runtime === "node" ? "is given back" : "is left alone, where nobody says when that is"}`, async () => {
    const received = Promise.withResolvers<Uint8Array>();
    await using server = await startRawServer(async (connection) =>
      received.resolve(await connection.readBytes(65_536))
    );
    await using client = await connectRaw(server.port);
    const read = new Uint8Array(65_536).fill(7);

    new Outgoing(client.socket).give(read);

    expect((await received.promise).every((byte) => byte === 7)).toBe(true);
    await expect.poll(() => read.byteLength).toBe(runtime === "node" ? 0 : 65_536);
  });

  test("into a stream that queues it is left alone", async () => {
    const stream = new PassThrough({ highWaterMark: 1 });
    const read = new Uint8Array(65_536).fill(7);

    new Outgoing(stream).give(read);
    await new Promise((resolve) => setTimeout(resolve, 0));
    const [got] = await once(stream, "data") as [Buffer];

    expect(got.every((byte) => byte === 7)).toBe(true);
    expect(got.length).toBe(65_536);
  });
});

test("only a large read of which no part can be elsewhere is one to give back", () => {
  expect(isWholeRead(new Uint8Array(65_536))).toBe(true);
  expect(isWholeRead(new Uint8Array(65_536).subarray(0, 65_535))).toBe(false);
  expect(isWholeRead(new Uint8Array(65_536).subarray(1))).toBe(false);
  expect(isWholeRead(new Uint8Array(1024))).toBe(false);
  const read = new Uint8Array(65_536);
  giveBack(read);
  expect(read.byteLength).toBe(0);
  expect(isWholeRead(read)).toBe(false);
});
