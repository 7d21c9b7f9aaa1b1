// Servers that agree on HTTP/2 (ALPN) and then do not begin as it does (RFC 9113 section 3.4).
import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { type HttpFlow, startProxy } from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { frame, PING } from "./raw_peer.ts";

test.each([
  ["speaks HTTP/1.1", Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")],
  ["sends bytes at random", Buffer.from("\xff\x00\x13\x37".repeat(20), "latin1")],
  ["begins without SETTINGS", Buffer.from(frame(PING, 0, 0, "12345678"))],
  ["says nothing and closes", Buffer.alloc(0)],
])(
  "B60 a server that agrees on HTTP/2 and %s: the client gets a 502 that names HTTP/2 or the end",
  async (_, bytes) => {
    const ca = testCa();
    const tls = { ...ca.issue(["h2.test"]), ALPNProtocols: ["h2"] };
    await using origin = await startRawServer(async (connection) => {
      await connection.write(bytes);
    }, { tls });
    await using proxy = await startProxy({
      upstream: { ca: ca.cert, hosts: { "h2.test": `127.0.0.1:${origin.port}` } },
    });
    const response = await proxy.fetch("https://h2.test/", { method: "POST", body: "x" });
    await response.text();
    expect(response.status).toBe(502);
    expect((proxy.flows.first() as HttpFlow).error!.code).toMatch(/^(HTTP2_|UPSTREAM_)/);
  },
);
