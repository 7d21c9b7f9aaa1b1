// What JA3 and JA4 say of clients that exist: the same each time, and the truth.
import { expect, test } from "vitest";
import { type ClientHello, type HttpFlow, type Proxy, respond, startProxy } from "../../src/mod.ts";
import { hasChromium, inChromium } from "../support/chromium.ts";
import { fetchIn, run } from "../support/run.ts";
import { hasCommand, RUNTIMES } from "../support/runtime.ts";

type Client = (proxy: Proxy, url: string) => Promise<unknown>;

/** Runs a client for each URL, each time in a process of its own, and gives what it has said. */
async function greetings(client: Client, urls: string[]): Promise<ClientHello[]> {
  const hellos: ClientHello[] = [];
  await using proxy = await startProxy({
    addons: [{ tlsClientHello: (hello) => void hellos.push(hello) }],
    defaultAction: respond({ body: "ok" }),
  });
  const wanted: ClientHello[] = [];
  for (const url of urls) {
    await client(proxy, url);
    const { hostname } = new URL(url);
    // Browsers talk to others as well.
    const [flow] = await proxy.waitFor({ host: hostname });
    const { ja3, ja4 } = (flow as HttpFlow).client.tls!;
    wanted.push(hellos.find((it) => it.ja3 === ja3 && it.ja4 === ja4)!);
  }
  return wanted;
}

const isGrease = (number: number) => (number & 0x0f0f) === 0x0a0a && number >> 8 === (number & 0xff);
const count = (numbers: readonly number[]) => String(numbers.filter((it) => !isGrease(it)).length).padStart(2, "0");

/** Two greetings of one client have one JA4, whose first part says what they say. */
function expectFingerprint([first, second]: ClientHello[], protocol: string): void {
  expect(first!.ja4).toBe(second!.ja4);
  expect(first!.ja4).toMatch(/^[0-9a-z]{10}_[0-9a-f]{12}_[0-9a-f]{12}$/);
  expect(first!.ja4.slice(0, 10)).toBe(`t13d${count(first!.cipherSuites)}${count(first!.extensions)}${protocol}`);
}

const curl = (...options: string[]): Client => async (proxy, url) => {
  const { code, stderr } = await run("curl", ["-sS", ...options, url], { env: proxy.env() });
  expect([code, stderr]).toEqual([0, ""]);
};

const TWO = ["https://one.test/", "https://two.test/"];

test.runIf(hasCommand("curl"))("curl, and what its options change", async () => {
  const usual = await greetings(curl(), TWO);
  expectFingerprint(usual, "h2");
  expect(usual[0]!.ja3).toBe(usual[1]!.ja3);

  const marks = async (url: string, ...options: string[]) => (await greetings(curl(...options), [url]))[0]!;
  expect((await marks(TWO[0]!, "--http1.1")).ja4.slice(8)).toMatch(/^h1_/);
  expect((await marks(TWO[0]!, "--no-alpn")).ja4.slice(8)).toMatch(/^00_/);
  expect((await marks("https://127.0.0.2/")).ja4.slice(0, 4)).toBe("t13i");
  const suites = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"];
  const old = await marks(TWO[0]!, "--tls-max", "1.2", "--ciphers", suites.join(":"));
  // OpenSSL says TLS_EMPTY_RENEGOTIATION_INFO_SCSV besides.
  expect(old.cipherSuites).toEqual([0xc02b, 0xc02c, 0x00ff]);
  expect(old.ja4).toMatch(/^t12d03/);
  expect(old.ja4).not.toBe(usual[0]!.ja4);
  expect(old.ja3).not.toBe(usual[0]!.ja3);
});

test.runIf(hasCommand("python3"))("Python", async () => {
  const script = `import sys, urllib.request\nurllib.request.urlopen(sys.argv[1]).read()`;
  const hellos = await greetings(async (proxy, url) => {
    const { code, stderr } = await run("python3", ["-c", script, url], { env: proxy.env() });
    expect([code, stderr]).toEqual([0, ""]);
  }, TWO);
  expectFingerprint(hellos, "h1");
  expect(hellos[0]!.ja3).toBe(hellos[1]!.ja3);
});

test("fetch of each runtime: each has its own", async () => {
  const seen = new Set<string>();
  for (const name of RUNTIMES) {
    const hellos = await greetings((proxy, url) => fetchIn(name, url, { env: proxy.env() }), TWO);
    expectFingerprint(hellos, hellos[0]!.alpn[0] === "h2" ? "h2" : "h1");
    seen.add(hellos[0]!.ja4);
  }
  expect(seen.size).toBe(RUNTIMES.length);
});

test.runIf(hasChromium)(
  "Chromium, which shuffles its extensions: one JA4 for many JA3",
  { timeout: 90_000 },
  async () => {
    const hellos = await greetings((proxy, url) => inChromium(proxy, url, "return 1"), TWO);
    expectFingerprint(hellos, "h2");
    expect(hellos[0]!.ja3).not.toBe(hellos[1]!.ja3);
  },
);
