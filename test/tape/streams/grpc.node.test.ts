// gRPC on the tape: calls in which client and server take turns. @grpc/grpc-js on both ends, which runs on Node.
import { Buffer } from "node:buffer";
import process from "node:process";
import grpc from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { HttpFlow, Proxy, TapeOptions } from "../../../src/mod.ts";
import { tempFolder } from "../../support/temp.ts";
import { startProxy } from "../proxies.ts";
import { PATIENTLY } from "../../wire/http1_client.ts";

const bytes = { serialize: (it: Buffer) => it, deserialize: (it: Buffer) => it };
const TALK = {
  path: "/shop.Cart/Talk",
  requestStream: true,
  responseStream: true,
  requestSerialize: bytes.serialize,
  requestDeserialize: bytes.deserialize,
  responseSerialize: bytes.serialize,
  responseDeserialize: bytes.deserialize,
};

/** Says everything in capitals, and counts the words when the client ends. */
async function startServer(): Promise<{ port: number; stop(): void }> {
  const server = new grpc.Server();
  server.addService({ talk: TALK }, {
    talk(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      let count = 0;
      call.on("data", (it: Buffer) => {
        count++;
        call.write(Buffer.from(it.toString().toUpperCase()));
      });
      call.on("end", () => {
        call.write(Buffer.from(`${count} words`));
        call.end();
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, it) => {
      if (error) reject(error);
      else resolve(it);
    })
  );
  return { port, stop: () => server.forceShutdown() };
}

/** A client whose proxy has this tape. */
async function open(tape: TapeOptions, port: number) {
  const proxy = await startProxy({ tape, upstream: { hosts: { "shop.test": `127.0.0.1:${port}` } } });
  process.env["grpc_proxy"] = proxy.url;
  const client = new grpc.Client("shop.test:80", grpc.credentials.createInsecure());
  return {
    proxy,
    client,
    close: async () => {
      client.close();
      delete process.env["grpc_proxy"];
      await proxy.close();
    },
  };
}

/** Says word after word, each when the one before is answered; what came, or the code of the error. */
async function talk(client: grpc.Client, words: string[]): Promise<(string | number)[]> {
  const call = client.makeBidiStreamRequest(TALK.path, bytes.serialize, bytes.deserialize);
  const answers = call[Symbol.asyncIterator]();
  const heard: (string | number)[] = [];
  try {
    for (const word of words) {
      call.write(Buffer.from(word));
      heard.push(String((await answers.next()).value));
    }
    call.end();
    for (let next = await answers.next(); !next.done; next = await answers.next()) heard.push(String(next.value));
  } catch (error) {
    heard.push((error as { code: number }).code);
  }
  return heard;
}

const sources = (proxy: Proxy) => ([...proxy.flows] as HttpFlow[]).map(({ source }) => source);

test("a call in which the two take turns is replayed turn by turn, without a server", async () => {
  await using folder = await tempFolder();
  const path = folder.file("talk.har");
  const server = await startServer();
  const recording = await open({ path, mode: "record" }, server.port);
  expect(await talk(recording.client, ["one", "two"])).toEqual(["ONE", "TWO", "2 words"]);
  await recording.close();
  server.stop();

  const replaying = await open({ path, mode: "replay" }, server.port);
  expect(await talk(replaying.client, ["one", "two"])).toEqual(["ONE", "TWO", "2 words"]);
  expect(sources(replaying.proxy)).toEqual(["tape"]);
  const flow = replaying.proxy.flows.first() as HttpFlow;
  await expect.poll(() => flow.done, PATIENTLY).toBe(true);
  expect(flow.response!.trailers!.get("grpc-status")).toBe("0");
  expect(replaying.proxy.unused).toEqual([]);
  await replaying.close();
});

test("of several calls, each gets the answers to what it says", async () => {
  await using folder = await tempFolder();
  const path = folder.file("talk.har");
  const server = await startServer();
  const recording = await open({ path, mode: "record" }, server.port);
  await talk(recording.client, ["one"]);
  await talk(recording.client, ["one", "three"]);
  await talk(recording.client, ["four"]);
  await recording.close();
  server.stop();

  const replaying = await open({ path, mode: "replay" }, server.port);
  const heard = await Promise.all([["four"], ["one", "three"], ["one"]].map((it) => talk(replaying.client, it)));
  expect(heard).toEqual([["FOUR", "1 words"], ["ONE", "THREE", "2 words"], ["ONE", "1 words"]]);
  expect(replaying.proxy.unused).toEqual([]);
  await replaying.close();
});

test("a client that says something else fails, and with it the test", async () => {
  await using folder = await tempFolder();
  const path = folder.file("talk.har");
  const server = await startServer();
  const recording = await open({ path, mode: "record" }, server.port);
  await talk(recording.client, ["one", "two"]);
  await recording.close();
  server.stop();

  const replaying = await open({ path, mode: "replay" }, server.port);
  const heard = await talk(replaying.client, ["one", "three"]);
  expect(heard[0]).toBe("ONE");
  expect(heard[1]).not.toBe(grpc.status.OK);
  expect(replaying.proxy.unmatched.length).toBe(1);
  await expect(replaying.close()).rejects.toThrow(
    "POST http://shop.test/shop.Cart/Talk\n\nMessage 2 of the client of this call differs from entry 0",
  );
});

test("a call that its client cancels is recorded as far as it came", async () => {
  await using folder = await tempFolder();
  const path = folder.file("talk.har");
  const server = await startServer();
  const once = async (client: grpc.Client) => {
    const call = client.makeBidiStreamRequest(TALK.path, bytes.serialize, bytes.deserialize);
    call.on("error", () => {});
    call.write(Buffer.from("one"));
    const heard = await new Promise<Buffer>((resolve) => call.once("data", resolve));
    call.cancel();
    return heard.toString();
  };
  const recording = await open({ path, mode: "record" }, server.port);
  expect(await once(recording.client)).toBe("ONE");
  await expect.poll(() => (recording.proxy.flows.first() as HttpFlow).done, PATIENTLY).toBe(true);
  await recording.close();
  server.stop();
  const replaying = await open({ path, mode: "replay" }, server.port);
  expect(await once(replaying.client)).toBe("ONE");
  expect(sources(replaying.proxy)).toEqual(["tape"]);
  await replaying.close();
});

test("mode auto records the calls that it does not know", async () => {
  await using folder = await tempFolder();
  const path = folder.file("talk.har");
  const server = await startServer();
  for (const words of [["one"], ["two", "three"]]) {
    const { client, close } = await open({ path, mode: "auto" }, server.port);
    await talk(client, words);
    await close();
  }
  server.stop();
  const { client, proxy, close } = await open({ path, mode: "replay" }, server.port);
  expect(await talk(client, ["two", "three"])).toEqual(["TWO", "THREE", "2 words"]);
  expect(sources(proxy)).toEqual(["tape"]);
  await close();
});
