// TLS with a server on a connection that is there already: a tunnel through another proxy.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import tls from "node:tls";
import { describe, expect, test } from "vitest";
import type { Peer } from "../../../src/flow/peer.ts";
import { dial, type DialOptions } from "../../../src/wire/outbound/dial.ts";
import { createCa, testCa } from "../../support/certificates.ts";
import { RawConnection } from "../../support/raw_connection.ts";
import { startRawServer } from "../../support/raw_server.ts";

const trusted = tls.createSecureContext({ ca: testCa().cert });

function options(over: Socket, serverName: string): DialOptions {
  return {
    hostname: serverName,
    timeout: 10_000,
    signal: new AbortController().signal,
    tls: { serverName, verify: true, context: trusted },
    over,
  };
}

const peerFor = (host: string): Peer => ({ id: 1, host, port: 443 });

/** Echoes one byte. */
function echo(names: string[], ca = testCa()) {
  return startRawServer(async (connection) => await connection.write(await connection.readBytes(1)), {
    tls: ca.issue(names),
  });
}

async function plain(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

describe("dial over a socket", () => {
  test.each(["shop.test", "192.0.2.7"])("puts TLS on it: %s", async (name) => {
    await using server = await echo([name]);
    const peer = peerFor(name);
    const { socket, times } = await dial(peer, options(await plain(server.port), name));
    await using connection = new RawConnection(socket);
    await connection.write("x");
    expect([...await connection.readBytes(1)]).toEqual([120]);
    expect(peer.tls!.version).toBe("TLSv1.3");
    expect(peer.tls!.certificates[0]!.names).toEqual([name]);
    expect(peer.address).toBeUndefined();
    expect(times.secured).toBeGreaterThanOrEqual(times.connected);
  });

  test("also where that is TLS itself", async () => {
    await using inner = await echo(["shop.test"]);
    await using outer = await startRawServer(async (connection) => {
      connection.socket.removeAllListeners("data").pause();
      const onward = await plain(inner.port);
      connection.socket.pipe(onward).pipe(connection.socket);
      await connection.closed;
      onward.destroy();
    }, { tls: testCa().issue(["proxy.test"]) });
    const way = tls.connect({ host: "127.0.0.1", port: outer.port, ca: testCa().cert, servername: "proxy.test" });
    await once(way, "secureConnect");
    const { socket } = await dial(peerFor("shop.test"), options(way, "shop.test"));
    await using connection = new RawConnection(socket, way);
    await connection.write("x");
    expect([...await connection.readBytes(1)]).toEqual([120]);
  });

  test.each([["another name", testCa()], ["another authority", createCa("nobody")]])(
    "is as strict as ever: %s",
    async (what, ca) => {
      await using server = await echo([what === "another name" ? "blog.test" : "shop.test"], ca);
      const dialling = dial(peerFor("shop.test"), options(await plain(server.port), "shop.test"));
      await expect(dialling).rejects.toMatchObject({ code: "UPSTREAM_UNTRUSTED", stage: "tls" });
    },
  );
});
