/**
 * Faults inside of TLS: it is the TCP connection under it that is reset. The client is Node's, whatever the proxy runs on: not every
 * runtime tells a reset under TLS from an end.
 */
import { expect, test } from "vitest";
import { fault, type FaultOptions, type Proxy, respond, startProxy } from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { run } from "../../support/run.ts";
import { runtimePath } from "../../support/runtime.ts";
import { latin1 } from "../../wire/http1_client.ts";

const BODY = "0123456789".repeat(10);

const CLIENT = `
import net from "node:net";
import tls from "node:tls";
const { port, ca, request } = JSON.parse(process.argv.at(-1));
const raw = net.connect(port, "127.0.0.1", () => raw.write("CONNECT a.test:443 HTTP/1.1\\r\\nHost: a.test\\r\\n\\r\\n"));
raw.on("error", () => {});
raw.once("data", () => {
  const socket = tls.connect({ socket: raw, servername: "a.test", ca }, () => socket.write(request));
  const seen = { text: "", end: "end" };
  socket.on("data", (bytes) => seen.text += bytes.toString("latin1"));
  socket.on("error", (error) => seen.end = error.code);
  socket.on("close", () => console.log(JSON.stringify(seen)));
});
`;

/** What a client behind TLS gets, and how that ends. */
async function converse({ port, ca }: Proxy, request: string): Promise<{ body: string; end: string }> {
  const order = JSON.stringify({ port, ca: ca.cert, request });
  const { stdout, stderr } = await run(runtimePath("node"), ["--input-type=module", "--eval", CLIENT, "--", order]);
  if (stdout === "") throw new Error(stderr);
  const { text, end } = JSON.parse(stdout) as { text: string; end: string };
  const at = text.indexOf("\r\n\r\n");
  return { body: at < 0 ? text : text.slice(at + 4), end };
}

const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

test.each([
  ["reset", {}, "ECONNRESET", 0],
  ["reset", { after: 30, then: respond({ body: BODY }) }, "ECONNRESET", 30],
  ["reset", { ms: 20 }, "ECONNRESET", 0],
  ["empty", {}, "end", 0],
  ["limit", { bytes: 30, then: respond({ body: BODY }) }, "end", 30],
  ["truncate", { then: respond({ body: BODY }) }, "end", 50],
] as [Parameters<typeof fault>[0], FaultOptions, string, number][])("%s %j: %s", async (kind, options, end, bytes) => {
  await using proxy = await startProxy({ rules: [["https://a.test/", fault(kind, options)]] });
  expect(await converse(proxy, GET)).toEqual({ body: BODY.slice(0, bytes), end });
});

test.each([
  ["reset", { after: 30 }, "ECONNRESET"],
  ["limit", { bytes: 30 }, "end"],
] as [Parameters<typeof fault>[0], FaultOptions, string][])(
  "on the way to a server behind TLS: %s %j",
  async (kind, options, end) => {
    await using server = await startRawServer(async (connection) => {
      await connection.closed;
    }, { tls: testCa().issue(["a.test"]) });
    await using proxy = await startProxy({
      upstream: { ca: testCa().cert, hosts: { "a.test": `127.0.0.1:${server.port}` }, http2: false },
      rules: [["https://a.test/", fault(kind, { on: "request", ...options })]],
    });
    const upload = `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\n${BODY}`;
    expect(await converse(proxy, upload)).toEqual({ body: "", end });
    expect(latin1(server.received)).toMatch(/\r\n\r\n.{30}$/);
  },
);
