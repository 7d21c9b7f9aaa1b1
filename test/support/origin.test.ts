import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { startOrigin } from "./origin.ts";
import { connectRaw, rawRequest } from "./raw_client.ts";

test("an origin answers with exact header lines and keeps what it was sent", async () => {
  await using origin = await startOrigin(({ method, target, text }) => ({
    status: 201,
    reason: "Made",
    headers: [["X-One", "1"], ["x-one", "2"]],
    body: `${method} ${target} ${text()}`,
  }));
  const answer = await rawRequest(
    origin.port,
    "POST /a?b HTTP/1.1\r\nHost: h\r\nX-Me: 1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
  );
  expect(answer).toBe("HTTP/1.1 201 Made\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 12\r\n\r\nPOST /a?b hi");
  expect(origin.requests).toHaveLength(1);
  expect(origin.requests[0]!.headers).toContainEqual(["X-Me", "1"]);
  expect(origin.requests[0]!.header("x-me")).toBe("1");
});

test("an origin keeps connections alive", async () => {
  await using origin = await startOrigin();
  await using client = await connectRaw(origin.port);
  for (let i = 0; i < 3; i++) {
    await client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    expect(await client.readUntil("ok")).toContain("200 OK");
  }
  expect(origin.connections).toBe(1);
  expect(origin.requests).toHaveLength(3);
});

test("an origin reads and writes chunks and trailers", async () => {
  async function* exclaim(text: string) {
    yield text;
    yield new Uint8Array([33]);
  }
  await using origin = await startOrigin(({ text }) => ({ body: exclaim(text()), trailers: [["X-Sum", "2"]] }));
  const answer = await rawRequest(
    origin.port,
    "POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nt: 1\r\n\r\n",
  );
  expect(answer).toMatch(/\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\n!\r\n0\r\nX-Sum: 2\r\n\r\n$/);
});

test("an origin sends no body where HTTP has none", async () => {
  await using origin = await startOrigin(({ method }) => method === "HEAD" ? { body: "four" } : { status: 204 });
  expect(await rawRequest(origin.port, "HEAD / HTTP/1.0\r\n\r\n")).toMatch(/Content-Length: 4\r\n\r\n$/);
  expect(await rawRequest(origin.port, "GET / HTTP/1.0\r\n\r\n")).toBe("HTTP/1.1 204 OK\r\n\r\n");
});

test("an origin serves https", async () => {
  await using origin = await startOrigin(() => ({ body: "secret" }), { tls: true });
  expect(origin.url).toMatch(/^https:/);
  await using client = await connectRaw(origin.port, { ca: origin.ca, servername: "shop.test" });
  await client.write("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  expect(Buffer.from(await client.readAll()).toString()).toMatch(/secret$/);
});
