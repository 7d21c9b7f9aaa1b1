import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { connect as connectPlain, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { Duplex } from "node:stream";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Authority } from "../../../src/wire/ca/authority.ts";
import { createKeyPair, readIssuer } from "../../../src/wire/ca/issuer.ts";
import { acceptTls, type AcceptTlsOptions, type CertificateAuthority, openCa } from "../../../src/wire/ca/mod.ts";
import { codeOf, connectTls, der, hasCurl, hasOpenssl, nextText, withFolder, withListener } from "./helpers.ts";
import { run } from "../../support/run.ts";

let ca: CertificateAuthority;
const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);

beforeAll(async () => {
  process.on("uncaughtException", note).on("unhandledRejection", note);
  ca = await openCa();
});

afterAll(() => {
  process.off("uncaughtException", note).off("unhandledRejection", note);
  expect(uncaught).toEqual([]);
});

/** Takes one connection as `name` and gives both ends to `use`. */
async function accepting<T>(
  name: string,
  use: (port: number, accepted: Promise<TLSSocket>, raw: Promise<Socket>) => Promise<T>,
  options: AcceptTlsOptions & { allowHalfOpen?: boolean } = {},
): Promise<T> {
  const accepted = Promise.withResolvers<TLSSocket>();
  const raw = Promise.withResolvers<Socket>();
  accepted.promise.catch(() => {}); // looked at later
  return await withListener(
    (socket) => {
      raw.resolve(socket);
      acceptTls(ca, socket, name, options).then(accepted.resolve, accepted.reject);
    },
    (port) => use(port, accepted.promise, raw.promise),
    { allowHalfOpen: options.allowHalfOpen ?? false },
  );
}

function echo(socket: TLSSocket): void {
  socket.on("data", (chunk) => void socket.write(chunk));
}

describe("a client that trusts the authority", () => {
  test.each<[string, ConnectionOptions, string]>([
    ["a.b.example.test", { servername: "a.b.example.test" }, "DNS:a.b.example.test"],
    ["*.example.test", { servername: "shop.example.test" }, "DNS:*.example.test"],
    ["127.0.0.1", { host: "127.0.0.1" }, "IP Address:127.0.0.1"], // no SNI
    ["::1", { checkServerIdentity: () => undefined }, "IP Address:::1"],
  ])("takes the certificate of %s", (name, options, names) =>
    accepting(name, async (port, accepted) => {
      const client = await connectTls({ port, ca: ca.cert, ...options });
      expect(client.authorized).toBe(true);
      const presented = new X509Certificate(client.getPeerCertificate().raw).subjectAltName;
      expect(presented?.replace("0:0:0:0:0:0:0:1", "::1")).toBe(names); // Node and Deno write addresses differently
      echo(await accepted);
      client.write("hello");
      expect(await nextText(client)).toBe("hello");
      client.destroy();
    }));

  // With openssl as the client: Deno's own keeps its sessions to itself.
  test.each([["-tls1_2"], ["-tls1_3"]])("resumes its session: %s", (version) =>
    withFolder(async (folder) => {
      if (!hasOpenssl) return;
      const session = join(folder, "session.pem");
      const visit = (...args: string[]): Promise<string> =>
        accepting("resume.test", async (port, accepted) => {
          const to = ["-connect", `127.0.0.1:${port}`, "-servername", "resume.test", "-CAfile", ca.path];
          const client = run("openssl", ["s_client", version, ...to, "-ign_eof", ...args]);
          (await accepted).end("bye");
          return (await client).stdout.match(/^(New|Reused), TLSv1\.[23]/m)?.[0] ?? "nothing";
        });
      const name = version === "-tls1_2" ? "TLSv1.2" : "TLSv1.3";
      expect(await visit("-sess_out", session)).toBe(`New, ${name}`);
      expect(await visit("-sess_in", session)).toBe(`Reused, ${name}`);
    }));

  test.each([
    [["http/1.1"], undefined, ["h2", "http/1.1"], "http/1.1"],
    [["h2"], ["h2", "http/1.1"], ["http/1.1", "h2"], "h2"],
    [["http/1.1"], ["h2", "http/1.1"], ["http/1.1"], "http/1.1"],
    [["none"], [], ["h2"], false],
    [["none"], ["h2"], undefined, false],
  ])("ALPN %j: offered %j, asked %j", (_, offered, asked, chosen) =>
    accepting("alpn.test", async (port, accepted) => {
      const client = await connectTls({
        port,
        ca: ca.cert,
        servername: "alpn.test",
        ...(asked ? { ALPNProtocols: asked } : {}),
      });
      expect((await accepted).alpnProtocol || false).toBe(chosen);
      client.destroy();
    }, offered === undefined ? {} : { alpn: offered }));

  test("B51 a hundred first connections to one name at once make one certificate", async () => {
    const pair = createKeyPair(der, { clock: Date.now, days: 9 });
    const fresh = new Authority(der, readIssuer(der, pair, pair, Date.now));
    await withListener((raw) => {
      acceptTls(fresh, raw, "busy.test").then(echo, note);
    }, async (port) => {
      await Promise.all(Array.from({ length: 100 }, async (_, index) => {
        const client = await connectTls({ port, ca: fresh.cert, servername: "busy.test" });
        client.write(`hello ${index}`);
        expect(await nextText(client)).toBe(`hello ${index}`);
        client.destroy();
      }));
    });
    expect(fresh.issued).toBe(1);
  });

  test("large bodies arrive whole", () =>
    accepting("large.test", async (port, accepted) => {
      const client = await connectTls({ port, ca: ca.cert, servername: "large.test" });
      const server = await accepted;
      const size = 4 * 1024 * 1024;
      let received = 0;
      const done = new Promise<void>((resolve) =>
        server.on("data", (chunk) => {
          received += chunk.length;
          if (received === size) resolve();
        })
      );
      client.write(Buffer.alloc(size, 7));
      await done;
      expect(received).toBe(size);
      client.destroy();
    }));

  test("B80 half-close: a client that has ended still gets the answer", () =>
    accepting("half.test", async (port, accepted, raw) => {
      const client = await connectTls({ port, ca: ca.cert, servername: "half.test", allowHalfOpen: true } as never);
      const server = await accepted;
      expect([server.allowHalfOpen, (await raw).allowHalfOpen]).toEqual([true, true]);
      const asked = nextText(server);
      client.end("question");
      expect(await asked).toBe("question");
      await new Promise((resolve) => server.once("end", resolve).resume());
      server.end("answer");
      expect(await nextText(client)).toBe("answer");
    }, { allowHalfOpen: true }));
});

describe("a client that does not", () => {
  test("curl refuses: TLS_CLIENT_REJECTED", async () => {
    if (!hasCurl) return;
    for (const versions of [["--tls-max", "1.2"], ["--tlsv1.3"]]) {
      await accepting("refused.test", async (port, accepted) => {
        const resolved = ["--connect-to", `refused.test:443:127.0.0.1:${port}`, "--noproxy", "*"];
        const { code } = await run("curl", ["-s", ...versions, ...resolved, "https://refused.test/"]);
        expect(code).toBe(60);
        expect(await codeOf(accepted)).toBe("TLS_CLIENT_REJECTED");
        expect(String(await accepted.catch((error) => error))).toMatch(
          /refused\.test .*proxy\.ca\.path.*proxy\.env\(\)/,
        );
      });
    }
  });

  test("curl that trusts it accepts", async () => {
    if (!hasCurl) return;
    await accepting("trusted.test", async (port, accepted) => {
      const resolved = ["--connect-to", `trusted.test:443:127.0.0.1:${port}`, "--noproxy", "*"];
      const visit = run("curl", ["-s", "--cacert", ca.path, ...resolved, "https://trusted.test/"]);
      const server = await accepted;
      expect(await nextText(server)).toContain("GET / HTTP/1.1\r\nHost: trusted.test");
      server.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      expect(await visit).toEqual({ code: 0, stdout: "ok", stderr: "" });
    });
  });

  test("openssl s_client, with and without", async () => {
    if (!hasOpenssl) return;
    const visit = (...args: string[]): Promise<string> =>
      accepting("openssl.test", async (port, accepted) => {
        const common = [
          "s_client",
          "-connect",
          `127.0.0.1:${port}`,
          "-servername",
          "openssl.test",
          "-verify_return_error",
        ];
        const client = run("openssl", [...common, ...args]);
        const outcome = await accepted.then((socket) => {
          socket.end();
          return "accepted";
        }, (error) => error.code);
        await client;
        return outcome;
      });
    expect(await visit("-CAfile", ca.path)).toBe("accepted");
    expect(await visit("-CAfile", ca.path, "-tls1_2")).toBe("accepted");
    expect(await visit()).toBe("TLS_CLIENT_REJECTED");
    expect(await visit("-tls1_2")).toBe("TLS_CLIENT_REJECTED");
    expect(await visit("-CAfile", ca.path, "-alpn", "acme-tls/1")).toBe("TLS_HANDSHAKE");
  });

  test("this runtime's own client hangs up or refuses", () =>
    accepting("own.test", async (port, accepted) => {
      await expect(connectTls({ port, servername: "own.test" })).rejects.toThrow();
      // Node checks after the handshake of TLS 1.3, and then only hangs up; the server may have finished its part.
      expect(["TLS_CLIENT_REJECTED", "TLS_CLIENT_CLOSED"]).toContain(await codeOf(accepted));
    }));
});

describe("connections that go wrong", () => {
  const halfAHello = Buffer.from("160301020001000100", "hex");

  const sendAnd = (
    bytes: Buffer | string,
    then: "end" | "destroy" | "wait",
    options: AcceptTlsOptions & { allowHalfOpen?: boolean } = {},
  ) =>
    accepting("wrong.test", async (port, accepted, raw) => {
      const client = connectPlain({ port, host: "127.0.0.1", allowHalfOpen: true });
      client.on("error", () => {});
      await new Promise<void>((resolve) => client.write(bytes, () => resolve()));
      if (then === "end") client.end();
      if (then === "destroy") client.destroy();
      const code = await codeOf(accepted);
      expect((await raw).destroyed).toBe(true);
      client.destroy();
      return code;
    }, options);

  test.each<[string, Buffer | string, "end" | "destroy", string]>([
    ["half a hello, then end", halfAHello, "end", "TLS_CLIENT_CLOSED"],
    ["half a hello, then gone", halfAHello, "destroy", "TLS_CLIENT_CLOSED"],
    ["plain HTTP", "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "end", "TLS_HANDSHAKE"],
    ["garbage", Buffer.alloc(500, 0xee), "end", "TLS_HANDSHAKE"],
  ])("%s", async (_, bytes, then, code) => {
    expect(await sendAnd(bytes, then)).toBe(code);
    expect(await sendAnd(bytes, then, { allowHalfOpen: true })).toBe(code);
  });

  test("nothing, then end", async () => {
    expect(await sendAnd("", "end", { allowHalfOpen: true })).toBe("TLS_CLIENT_CLOSED");
  });

  test("a good hello and then garbage", () =>
    accepting("garbage.test", async (port, accepted) => {
      // A real client's hello, sent on by hand, and garbage in place of the rest of its handshake.
      const hello = Promise.withResolvers<Buffer>();
      await withListener((raw) => raw.once("data", hello.resolve), async (honest) => {
        const real = connectTls({ port: honest, servername: "garbage.test" });
        real.catch(() => {});
        await hello.promise;
      });
      const client = connectPlain({ port, host: "127.0.0.1" });
      client.on("error", () => {});
      client.write(await hello.promise);
      await new Promise((resolve) => client.once("data", resolve));
      client.resume();
      client.write(Buffer.alloc(300, 0xee));
      expect(await codeOf(accepted)).toBe("TLS_HANDSHAKE");
      client.destroy();
    }));

  test("silence: TLS_HANDSHAKE_TIMEOUT", async () => {
    expect(await sendAnd(halfAHello, "wait", { timeoutMs: 30 })).toBe("TLS_HANDSHAKE_TIMEOUT");
  });

  test("a signal", async () => {
    const aborted = AbortSignal.abort(Object.assign(new Error("enough"), { code: "ENOUGH" }));
    expect(await sendAnd(halfAHello, "wait", { signal: aborted })).toBe("ENOUGH");
    const controller = new AbortController();
    const outcome = sendAnd(halfAHello, "wait", { signal: controller.signal });
    controller.abort(Object.assign(new Error("enough"), { code: "ENOUGH" }));
    expect(await outcome).toBe("ENOUGH");
  });

  test("a name that no certificate can have: CA_BAD_NAME", () =>
    accepting("not a name", async (port, accepted, raw) => {
      const client = connectPlain({ port, host: "127.0.0.1" });
      expect(await codeOf(accepted)).toBe("CA_BAD_NAME");
      expect((await raw).destroyed).toBe(true);
      client.destroy();
    }));

  test("a connection that is gone already", async () => {
    const gone = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    gone.destroy();
    expect(await codeOf(acceptTls(ca, gone, "gone.test"))).toBe("TLS_CLIENT_CLOSED");
  });

  test("a client that hangs up after the handshake does not hurt", () =>
    accepting("brief.test", async (port, accepted) => {
      const client = await connectTls({ port, ca: ca.cert, servername: "brief.test" });
      const server = await accepted;
      const closed = new Promise((resolve) => server.once("close", resolve));
      client.destroy();
      server.on("data", () => {});
      server.write("into the void");
      await closed;
    }));
});

describe("what it stands on", () => {
  test("TLS in TLS", async () => {
    const inner = Promise.withResolvers<TLSSocket>();
    await withListener(async (raw) => {
      const outer = await acceptTls(ca, raw, "outer.test");
      acceptTls(ca, outer, "inner.test").then(inner.resolve, inner.reject);
    }, async (port) => {
      const outer = await connectTls({ port, ca: ca.cert, servername: "outer.test" });
      const client = await connectTls({ socket: outer, ca: ca.cert, servername: "inner.test" });
      echo(await inner.promise);
      client.write("deep");
      expect(await nextText(client)).toBe("deep");
      client.destroy();
      outer.destroy();
    });
  });

  test("any stream, two of them at once, good and bad", async () => {
    const outcomes: Promise<TLSSocket>[] = [];
    await withListener((raw) => {
      const outcome = acceptTls(ca, asStream(raw), "stream.test");
      outcome.catch(() => {}); // looked at later
      outcomes.push(outcome);
    }, async (port) => {
      const client = await connectTls({ port, ca: ca.cert, servername: "stream.test" });
      echo(await (outcomes[0] as Promise<TLSSocket>));
      const bad = connectPlain({ port, host: "127.0.0.1" }, () => bad.end("GET / HTTP/1.1\r\n\r\n"));
      bad.on("error", () => {});
      await new Promise((resolve) => bad.once("close", resolve).resume());
      expect(await codeOf(outcomes[1] as Promise<TLSSocket>)).toBe("TLS_HANDSHAKE");
      client.write("stream");
      expect(await nextText(client)).toBe("stream");
      client.destroy();
    });
  });
});

function asStream(raw: Socket): Duplex {
  const stream = new Duplex({
    read: () => void raw.resume(),
    write: (chunk, _encoding, done) => void raw.write(chunk, () => done()),
    final: (done) => void raw.end(done),
    destroy: (error, done) => {
      raw.destroy();
      done(error);
    },
  });
  raw.on("data", (chunk) => {
    if (!stream.push(chunk)) raw.pause();
  });
  raw.on("end", () => stream.push(null));
  raw.on("close", () => stream.destroy());
  return stream;
}
