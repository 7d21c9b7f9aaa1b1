// gRPC through the proxy: @grpc/grpc-js on both ends, which runs on Node.
import { Buffer } from "node:buffer";
import { join } from "node:path";
import process from "node:process";
import { setImmediate } from "node:timers";
import grpc from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, startProxy } from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { tempFolder } from "../../support/temp.ts";
import { PATIENTLY } from "../http1_client.ts";

// Messages are bytes: what they mean is of no interest here.
const bytes = { serialize: (it: Buffer) => it, deserialize: (it: Buffer) => it };
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: bytes.serialize,
  requestDeserialize: bytes.deserialize,
  responseSerialize: bytes.serialize,
  responseDeserialize: bytes.deserialize,
});
const SERVICE = {
  unary: method("/shop.Cart/Add", false, false),
  fails: method("/shop.Cart/Fail", false, false),
  feed: method("/shop.Cart/Feed", false, true),
  talk: method("/shop.Cart/Talk", true, true),
};

interface Ends extends AsyncDisposable {
  readonly proxy: Proxy;
  readonly client: grpc.Client;
}

/** A server, a proxy and a client that uses it. */
async function start(secure: boolean, options: Parameters<typeof startProxy>[0] = {}): Promise<Ends> {
  const server = new grpc.Server();
  server.addService(SERVICE, {
    unary(call: grpc.ServerUnaryCall<Buffer, Buffer>, reply: grpc.sendUnaryData<Buffer>) {
      const trailers = new grpc.Metadata();
      trailers.set("x-cost", "7");
      reply(null, Buffer.concat([Buffer.from("echo "), call.request]), trailers);
    },
    fails(_call: unknown, reply: grpc.sendUnaryData<Buffer>) {
      reply({ code: grpc.status.NOT_FOUND, details: "no such cart" });
    },
    feed(call: grpc.ServerWritableStream<Buffer, Buffer>) {
      for (let i = 0; i < 100; i++) call.write(Buffer.alloc(10_000, i));
      call.end();
    },
    talk(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      call.on("data", (it: Buffer) => call.write(Buffer.from(it.toString().toUpperCase())));
      call.on("end", () => call.end());
    },
  });
  const { cert, key } = testCa().issue(["shop.test"]);
  const credentials = secure
    ? grpc.ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }])
    : grpc.ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", credentials, (error, it) => error ? reject(error) : resolve(it))
  );
  const proxy = await startProxy({
    upstream: { ca: testCa().cert, hosts: { "shop.test": `127.0.0.1:${port}` } },
    ...options,
  });
  // The library looks for its proxy here, and nowhere else.
  process.env["grpc_proxy"] = proxy.url;
  const client = new grpc.Client(
    `shop.test:${secure ? 443 : 80}`,
    secure ? grpc.credentials.createSsl(Buffer.from(proxy.ca.cert)) : grpc.credentials.createInsecure(),
  );
  return {
    proxy,
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      delete process.env["grpc_proxy"];
      await proxy.close();
      server.forceShutdown();
    },
  };
}

function unary(
  client: grpc.Client,
  { path }: { path: string },
  message: string,
): Promise<{ body: string; trailers: grpc.Metadata }> {
  return new Promise((resolve, reject) => {
    let body = "";
    let trailers: grpc.Metadata;
    const call = client.makeUnaryRequest(
      path,
      bytes.serialize,
      bytes.deserialize,
      Buffer.from(message),
      (error, it) => {
        if (error) reject(error);
        else body = String(it);
      },
    );
    call.on("status", (status) => {
      trailers = status.metadata;
      if (status.code === grpc.status.OK) setImmediate(() => resolve({ body, trailers }));
    });
  });
}

describe.each([["behind TLS", true], ["without TLS", false]])("B53 B54 B56 gRPC %s", (_, secure) => {
  test("a unary call; its trailers are on the flow", async () => {
    await using ends = await start(secure);
    const { body, trailers } = await unary(ends.client, SERVICE.unary, "hello");
    expect(body).toBe("echo hello");
    expect(trailers.get("x-cost")).toEqual(["7"]);
    const flow = ends.proxy.flows.first() as HttpFlow;
    expect(flow.request).toMatchObject({ method: "POST", path: "/shop.Cart/Add", httpVersion: "2" });
    expect(flow.response!.trailers!.get("grpc-status")).toBe("0");
    expect(flow.response!.trailers!.get("x-cost")).toBe("7");
    // A message has a flag and its length before it.
    expect(new TextDecoder().decode(flow.response!.body.subarray(5))).toBe("echo hello");
  });

  test("a call that fails: trailers alone", async () => {
    await using ends = await start(secure);
    await expect(unary(ends.client, SERVICE.fails, "x")).rejects.toMatchObject({
      code: grpc.status.NOT_FOUND,
      details: "no such cart",
    });
    const flow = ends.proxy.flows.first() as HttpFlow;
    const status = flow.response!.trailers?.get("grpc-status") ?? flow.response!.headers.get("grpc-status");
    expect(status).toBe("5");
    expect(flow.error).toBeUndefined();
  });

  test("a stream from the server", async () => {
    await using ends = await start(secure);
    const call = ends.client.makeServerStreamRequest(
      SERVICE.feed.path,
      bytes.serialize,
      bytes.deserialize,
      Buffer.from(""),
    );
    let length = 0;
    for await (const message of call) length += (message as Buffer).length;
    expect(length).toBe(1_000_000);
  });

  test("a stream both ways: each message is answered before the next one is sent, whoever is listening", async () => {
    await using ends = await start(secure, { addons: [{ response() {} }] });
    const call = ends.client.makeBidiStreamRequest(SERVICE.talk.path, bytes.serialize, bytes.deserialize);
    const answers = call[Symbol.asyncIterator]();
    for (const word of ["one", "two", "three"]) {
      call.write(Buffer.from(word));
      expect(String((await answers.next()).value)).toBe(word.toUpperCase());
    }
    call.end();
    expect((await answers.next()).done).toBe(true);
    const flow = ends.proxy.flows.first() as HttpFlow;
    await expect.poll(() => flow.done, PATIENTLY).toBe(true);
    expect(flow.response!.trailers!.get("grpc-status")).toBe("0");
    expect(flow.request.body.length).toBe(5 * 3 + "onetwothree".length);
  });

  test("a call that is cancelled is cancelled at the server too", async () => {
    await using ends = await start(secure);
    const call = ends.client.makeBidiStreamRequest(SERVICE.talk.path, bytes.serialize, bytes.deserialize);
    call.on("error", () => {});
    call.write(Buffer.from("one"));
    await new Promise((resolve) => call.once("data", resolve));
    call.cancel();
    const flow = ends.proxy.flows.first() as HttpFlow;
    await expect.poll(() => flow.error, PATIENTLY).toMatchObject({ code: "CLIENT_ABORTED", resetCode: 8 });
  });

  test("calls are recorded with their trailers, and replayed without the server", async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, "cart.har");
    const talk = async (client: grpc.Client) => {
      const call = client.makeBidiStreamRequest(SERVICE.talk.path, bytes.serialize, bytes.deserialize);
      const answers = call[Symbol.asyncIterator]();
      call.write(Buffer.from("one"));
      call.end();
      return String((await answers.next()).value);
    };
    const all = async (client: grpc.Client) => [
      await unary(client, SERVICE.unary, "hello").then(({ body, trailers }) => [body, trailers.get("x-cost")]),
      await unary(client, SERVICE.fails, "x").catch(({ code }: { code: number }) => code),
      await talk(client),
    ];
    let recorded: unknown;
    {
      await using ends = await start(secure, { tape: { path, mode: "record" } });
      recorded = await all(ends.client);
      const call = ends.client.makeBidiStreamRequest(SERVICE.talk.path, bytes.serialize, bytes.deserialize);
      const answers = call[Symbol.asyncIterator]();
      for (const word of ["one", "two"]) {
        call.write(Buffer.from(word));
        expect(String((await answers.next()).value)).toBe(word.toUpperCase());
      }
      call.end();
      expect((await answers.next()).done).toBe(true);
    }
    expect(recorded).toEqual([["echo hello", ["7"]], grpc.status.NOT_FOUND, "ONE"]);
    await using ends = await start(secure, { tape: { path, mode: "replay" } });
    expect(await all(ends.client)).toEqual(recorded);
    expect(([...ends.proxy.flows] as HttpFlow[]).map(({ source }) => source)).toEqual(["tape", "tape", "tape"]);
  });
});
