// TLS versions, certificates of clients, certificates for servers, the key log.
import { spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, type ProxyOptions, respond, startProxy } from "../../src/mod.ts";
import { createCa, testCa } from "../support/certificates.ts";
import { startOrigin } from "../support/origin.ts";
import { startRawServer } from "../support/raw_server.ts";
import { run } from "../support/run.ts";
import { hasCommand, runtime } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { getRequest, openTunnel, readText } from "./tunnel.ts";

async function visit(proxy: Proxy, host = "shop.test", options: ConnectionOptions = {}): Promise<string> {
  await using tunnel = await openTunnel(proxy, `${host}:443`);
  await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: host, ...options });
  await client.write(getRequest("/", host));
  return await readText(client);
}

const last = (proxy: Proxy) => proxy.flows.last() as HttpFlow;

describe("https.minVersion", () => {
  test("older clients are refused", async () => {
    await using proxy = await startProxy({ https: { minVersion: "TLSv1.3" }, defaultAction: respond({ body: "ok" }) });
    expect(await visit(proxy)).toMatch(/ok$/);
    expect(last(proxy).client.tls!.version).toBe("TLSv1.3");
    await expect(visit(proxy, "shop.test", { maxVersion: "TLSv1.2" })).rejects.toThrow();
    await expect.poll(() => last(proxy).error?.code).toBe("TLS_HANDSHAKE");
  });

  test("of one proxy does not concern another", async () => {
    await using strict = await startProxy({ https: { minVersion: "TLSv1.3" }, defaultAction: respond({ body: "ok" }) });
    await using other = await startProxy({ defaultAction: respond({ body: "ok" }) });
    expect(await visit(strict)).toMatch(/ok$/);
    expect(await visit(other, "shop.test", { maxVersion: "TLSv1.2" })).toMatch(/ok$/);
    expect(last(other).client.tls!.version).toBe("TLSv1.2");
  });
});

describe("upstream.minVersion and maxVersion", () => {
  test("say which versions are spoken with servers", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    for (const [versions, spoken] of [[{ maxVersion: "TLSv1.2" }, "TLSv1.2"], [{}, "TLSv1.3"]] as const) {
      await using proxy = await startProxy({
        upstream: { ca: origin.ca, hosts: { "shop.test": `127.0.0.1:${origin.port}` }, ...versions },
      });
      expect(await visit(proxy)).toMatch(/ok$/);
      expect(last(proxy).server!.tls!.version).toBe(spoken);
    }
  });

  test("a server that is too old is a 502", async () => {
    await using origin = await startOrigin(undefined, {
      tls: { ...testCa().issue(["shop.test"]), maxVersion: "TLSv1.2" },
    });
    await using proxy = await startProxy({
      upstream: {
        ca: origin.ca,
        hosts: { "shop.test": `127.0.0.1:${origin.port}` },
        minVersion: "TLSv1.3",
      },
    });
    expect(await visit(proxy)).toMatch(/^HTTP\/1\.1 502 /);
    expect(last(proxy).error).toMatchObject({ code: "UPSTREAM_TLS" });
  });
});

describe("https.requestClientCert", () => {
  const identity = testCa().issue(["client.test"]);

  test("shows the certificate of a client that has one, and takes one that has none", async () => {
    await using proxy = await startProxy({
      https: { requestClientCert: true },
      defaultAction: respond({ body: "ok" }),
    });
    expect(await visit(proxy, "shop.test", identity)).toMatch(/ok$/);
    expect(last(proxy).client.tls!.certificates[0]).toMatchObject({
      subject: "CN=client.test",
      names: ["client.test"],
    });
    expect(await visit(proxy)).toMatch(/ok$/);
    expect(last(proxy).client.tls!.certificates).toEqual([]);
  });

  test("is not asked for otherwise", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    expect(await visit(proxy, "shop.test", identity)).toMatch(/ok$/);
    expect(last(proxy).client.tls!.certificates).toEqual([]);
  });

  test.runIf(hasCommand("curl"))("with curl --cert", async () => {
    await using folder = await tempFolder();
    writeFileSync(folder.file("cert.pem"), identity.cert);
    writeFileSync(folder.file("key.pem"), identity.key);
    await using proxy = await startProxy({
      https: { requestClientCert: true },
      defaultAction: respond({ body: "ok" }),
    });
    const args = ["-sS", "--cert", folder.file("cert.pem"), "--key", folder.file("key.pem"), "https://shop.test/"];
    expect(await run("curl", args, { env: proxy.env() })).toMatchObject({ code: 0, stdout: "ok" });
    expect(last(proxy).client.tls!.certificates[0]!.subject).toBe("CN=client.test");
  });
});

describe("B46 upstream.clientCertificates", () => {
  const clients = createCa("clients");
  const named = (name: string) => clients.issue([name]);

  const HOSTS = ["a.test", "a.bank.test", "api.test", "app.test", "packed.test", "locked.test"];

  /** A server that says whose certificate it was shown. */
  function strictServer() {
    return startRawServer(async (connection) => {
      await connection.readHead();
      const shown = (connection.socket as TLSSocket).getPeerCertificate();
      const body = shown?.subject?.CN ?? "nobody";
      await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    }, { tls: { ...testCa().issue(HOSTS), requestCert: true, rejectUnauthorized: false } });
  }

  function trusting(port: number, upstream: ProxyOptions["upstream"]): Promise<Proxy> {
    return startProxy({ upstream: { ca: testCa().cert, hosts: { "*.test": `127.0.0.1:${port}` }, ...upstream } });
  }

  test("is chosen by host: port before name, name before wildcard, longest wildcard first", async () => {
    await using server = await strictServer();
    await using proxy = await trusting(server.port, {
      clientCertificates: {
        "*.test": named("any"),
        "*.bank.test": named("bank"),
        "api.test": named("api"),
        "api.test:443": named("api 443"),
        "App.test.": named("app"),
      },
    });
    for (
      const [host, who] of [["a.test", "any"], ["a.bank.test", "bank"], ["api.test", "api 443"], ["app.test", "app"]]
    ) {
      expect(await visit(proxy, host)).toMatch(new RegExp(`\r\n\r\n${who}$`));
    }
  });

  test("a dot at the end of a name makes no difference, and servers are not told of it", async () => {
    await using server = await strictServer();
    await using proxy = await trusting(server.port, {
      hosts: { "api.test.": `127.0.0.1:${server.port}`, "*.bank.test": `127.0.0.1:${server.port}` },
      clientCertificates: { "api.test.": named("api"), "*.bank.test": named("bank") },
    });
    for (const [host, who] of [["api.test", "api"], ["api.test.", "api"], ["a.bank.test.", "bank"]]) {
      await using tunnel = await openTunnel(proxy, `${host}:443`);
      await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: host!.replace(/\.$/, "") });
      await client.write(getRequest("/", host!));
      expect([host, await readText(client)]).toEqual([host, expect.stringMatching(new RegExp(`${who}$`))]);
    }
  });

  test("goes to nobody else", async () => {
    await using server = await strictServer();
    await using proxy = await trusting(server.port, { clientCertificates: { "api.test": named("api") } });
    expect(await visit(proxy, "api.test")).toMatch(/api$/);
    expect(await visit(proxy, "app.test")).toMatch(/nobody$/);
  });

  test.runIf(hasCommand("openssl"))("as PKCS#12, and with a key that has a passphrase", async () => {
    await using folder = await tempFolder();
    const { cert, key } = named("packed");
    writeFileSync(folder.file("cert.pem"), cert);
    writeFileSync(folder.file("key.pem"), key);
    const from = ["-in", folder.file("cert.pem"), "-inkey", folder.file("key.pem")];
    await run("openssl", ["pkcs12", "-export", ...from, "-out", folder.file("id.p12"), "-passout", "pass:sesame"]);
    await run("openssl", [
      "pkcs8",
      "-topk8",
      "-in",
      folder.file("key.pem"),
      "-out",
      folder.file("enc.pem"),
      "-passout",
      "pass:sesame",
    ]);
    await using server = await strictServer();
    await using proxy = await trusting(server.port, {
      clientCertificates: {
        "packed.test": { pfx: readFileSync(folder.file("id.p12")), passphrase: "sesame" },
        "locked.test": { cert, key: readFileSync(folder.file("enc.pem"), "utf8"), passphrase: "sesame" },
      },
    });
    expect(await visit(proxy, "packed.test")).toMatch(/packed$/);
    expect(await visit(proxy, "locked.test")).toMatch(/packed$/);
  });

  test.runIf(hasCommand("openssl"))("the chain goes along; on Deno only from PEM, not from PKCS#12", async () => {
    await using folder = await tempFolder();
    const { cert, key } = named("packed");
    writeFileSync(folder.file("all.pem"), key + cert + clients.cert);
    await run("openssl", [
      "pkcs12",
      "-export",
      "-in",
      folder.file("all.pem"),
      "-out",
      folder.file("id.p12"),
      "-passout",
      "pass:sesame",
    ]);
    const shown: number[] = [];
    await using server = await startRawServer(async (connection) => {
      await connection.readHead();
      const first = (connection.socket as TLSSocket).getPeerX509Certificate();
      shown.push(first?.issuerCertificate === undefined ? 1 : 2);
      await connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    }, { tls: { ...testCa().issue(HOSTS), requestCert: true, rejectUnauthorized: false } });
    await using proxy = await trusting(server.port, {
      clientCertificates: {
        "a.test": { cert: cert + clients.cert, key },
        "packed.test": { pfx: readFileSync(folder.file("id.p12")), passphrase: "sesame" },
      },
    });
    await visit(proxy, "a.test");
    await visit(proxy, "packed.test");
    expect(shown).toEqual([2, runtime === "deno" ? 1 : 2]);
  });

  test.runIf(hasCommand("openssl"))(
    "PKCS#12 in the encryption of old: refused by Node, whose OpenSSL has none of it",
    async () => {
      await using folder = await tempFolder();
      const { cert, key } = named("old");
      writeFileSync(folder.file("all.pem"), key + cert);
      const { code } = await run("openssl", [
        "pkcs12",
        "-export",
        "-legacy",
        "-in",
        folder.file("all.pem"),
        "-out",
        folder.file("old.p12"),
        "-passout",
        "pass:sesame",
      ]);
      if (code !== 0) return; // an openssl without it cannot make such a file either
      const pfx = readFileSync(folder.file("old.p12"));
      await using server = await strictServer();
      const started = trusting(server.port, { clientCertificates: { "a.test": { pfx, passphrase: "sesame" } } });
      if (runtime === "node") {
        await expect(started).rejects.toThrow(/cannot be used: .*rewritten with openssl pkcs12/);
      } else {
        await using proxy = await started;
        expect(await visit(proxy, "a.test")).toMatch(/old$/);
      }
    },
  );

  test.runIf(hasCommand("openssl"))("a server that insists on one: the error says what to do", async () => {
    await using folder = await tempFolder();
    const { cert, key } = testCa().issue(["shop.test"]);
    writeFileSync(folder.file("server.pem"), key + cert);
    const server = spawn("openssl", [
      "s_server",
      "-accept",
      "127.0.0.1:0",
      "-Verify",
      "1",
      "-tls1_3",
      "-www",
      "-cert",
      folder.file("server.pem"),
    ]);
    try {
      const port = await new Promise<string>((resolve) => {
        server.stdout.on("data", (text) => {
          const accepts = /ACCEPT [\d.]+:(\d+)/.exec(String(text));
          if (accepts !== null) resolve(accepts[1]!);
        });
      });
      // Where the request is on its way already, the reset of a server that does not read it may overtake its alert.
      const later = { tlsEstablished: () => new Promise((resolve) => setTimeout(resolve, 300)) };
      await using proxy = await startProxy({
        addons: [later],
        upstream: { ca: testCa().cert, hosts: { "shop.test": `127.0.0.1:${port}` } },
      });
      expect(await visit(proxy)).toMatch(/^HTTP\/1\.1 502 /);
      const { code, message } = last(proxy).error!;
      expect(code).toBe("UPSTREAM_TLS");
      expect(message).toContain("requires a certificate of its client. Give one with upstream: { clientCertificates }");
    } finally {
      const closed = new Promise((resolve) => server.once("close", resolve));
      server.kill();
      await closed;
    }
  });

  const { cert, key } = named("a");
  const wrong: [string, unknown, RegExp][] = [
    [
      "another key",
      { "a.test": { cert, key: named("b").key } },
      /\["a\.test"\] cannot be used: key is not the key of cert/,
    ],
    ["no key", { "a.test": { cert } }, /\["a\.test"\] has cert: \{ cert, key \} in PEM or/],
    ["both forms", { "a.test": { cert, key, pfx: new Uint8Array(1) } }, /\["a\.test"\] has cert,key,pfx: /],
    ["no PEM", { "a.test": { cert: "cert.pem", key: "hush.pem" } }, /holds no certificate in PEM/],
    ["a key that is no PEM", { "a.test": { cert, key: "hush hush" } }, /\["a\.test"\] cannot be used: /],
    ["a key that is no text", { "a.test": { cert, key: 4711 } }, /\["a\.test"\]\.key is of type number/],
    [
      "a PKCS#12 file that is none",
      { "a.test": { pfx: new Uint8Array(9), passphrase: "hush" } },
      /\["a\.test"\] cannot be used: .*passphrase/,
    ],
    ["a path in place of bytes", { "a.test": { pfx: "hush.p12" } }, /\["a\.test"\]\.pfx is not bytes/],
    ["a passphrase that is no text", { "a.test": { cert, key, passphrase: 4711 } }, /passphrase is of type number/],
    ["a name with two stars", { "*.*.test": { cert, key } }, /upstream\.clientCertificates has "\*\.\*\.test"/],
    [
      "an unknown member",
      { "a.test": { cert, key, pasphrase: "hush" } },
      /pasphrase is not known/,
    ],
    ["a list", [], /upstream\.clientCertificates is of type object/],
  ];
  test.each(wrong)("%s is refused at once, and no secret shown", async (_, clientCertificates, why) => {
    const error = await startProxy({ upstream: { clientCertificates } as never }).catch((it: Error) => it);
    expect((error as { code?: string }).code).toBe("BAD_OPTION");
    expect((error as Error).message).toMatch(why);
    expect((error as Error).message).not.toMatch(/hush|4711|BEGIN/);
  });
});

describe("https.keyLogFile", () => {
  test.skipIf(runtime === "deno")("gets the secrets of both sides, and only this user may read it", async () => {
    await using folder = await tempFolder();
    const path = folder.file("keys.log");
    writeFileSync(path, "# mine\n", { mode: 0o644 });
    await using origin = await startOrigin(undefined, { tls: true });
    {
      await using proxy = await startProxy({
        https: { keyLogFile: path },
        upstream: { ca: origin.ca, hosts: { "*.test": `127.0.0.1:${origin.port}` } },
      });
      expect(await visit(proxy)).toMatch(/ok$/);
      expect(await visit(proxy, "old.test", { maxVersion: "TLSv1.2" })).toMatch(/ok$/);
    }
    if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
    const [first, ...lines] = readFileSync(path, "utf8").split("\n").slice(0, -1);
    expect(first).toBe("# mine");
    for (const line of lines) expect(line).toMatch(/^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64,96}$/);
    const randoms = (label: string) =>
      new Set(lines.filter((it) => it.startsWith(label)).map((it) => it.split(" ")[1]));
    // Two connections to the server and one from a client spoke TLS 1.3.
    expect(randoms("CLIENT_TRAFFIC_SECRET_0 ").size).toBe(3);
    expect(randoms("CLIENT_RANDOM ").size).toBe(1);
  });

  test.skipIf(runtime === "deno")("that cannot be written is an error", async () => {
    await expect(startProxy({ https: { keyLogFile: "/nowhere/at/all/keys.log" } })).rejects.toMatchObject({
      code: "KEY_LOG_FILE",
    });
  });

  test.runIf(runtime === "deno")("is refused on Deno, whose TLS has none", async () => {
    await using folder = await tempFolder();
    await expect(startProxy({ https: { keyLogFile: folder.file("keys.log") } })).rejects.toMatchObject({
      code: "KEY_LOG_UNSUPPORTED",
    });
  });
});

test.each([
  [{ https: { minVersion: "TLSv1.1" } }, 'option https.minVersion is "TLSv1.1": "TLSv1.2" or "TLSv1.3" is accepted'],
  [{ https: { requestClientCert: "yes" } }, 'option https.requestClientCert is "yes": true or false is accepted'],
  [{ https: { keyLogFile: "" } }, 'option https.keyLogFile is ""'],
  [{ upstream: { maxVersion: 1.3 } }, "option upstream.maxVersion is 1.3"],
  [{ https: { ca: { cert: "x", key: 4711 } } }, "option https.ca.key is of type number"],
])("%j is refused", async (options, why) => {
  await expect(startProxy(options as never)).rejects.toThrow(why);
});
