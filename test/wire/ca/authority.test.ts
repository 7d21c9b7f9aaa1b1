import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Authority } from "../../../src/wire/ca/authority.ts";
import { DAY } from "../../../src/wire/ca/clock.ts";
import { createKeyPair, readIssuer } from "../../../src/wire/ca/issuer.ts";
import { leafKey } from "../../../src/wire/ca/leaf_key.ts";
import { der, hasOpenssl, opensslVerify, userAuthority } from "./helpers.ts";

const source = { cert: "a test", key: "a test" };

function authority(options: { clock?: () => number; capacity?: number; days?: number } = {}): Authority {
  const clock = options.clock ?? Date.now;
  const pair = createKeyPair(der, { clock, days: options.days ?? 365 });
  return new Authority(der, readIssuer(der, pair, source, clock), { ...options, clock });
}

function codeThrown(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const longName = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.example.test`;

describe("what a certificate is issued for", () => {
  test.each([
    ["a name", "shop.test", "-verify_hostname", "shop.test"],
    ["a deep name", "a.b.example.test", "-verify_hostname", "a.b.example.test"],
    ["a name of one label", "localhost", "-verify_hostname", "localhost"],
    ["capitals", "Shop.TEST", "-verify_hostname", "shop.test"],
    ["a trailing dot", "shop.test.", "-verify_hostname", "shop.test"],
    ["an A-label", "xn--bcher-kva.test", "-verify_hostname", "xn--bcher-kva.test"],
    ["an international name", "B\u00fccher.test", "-verify_hostname", "xn--bcher-kva.test"],
    ["a wildcard", "*.example.test", "-verify_hostname", "any.example.test"],
    ["a name with an underscore", "my_service.test", "-verify_hostname", "my_service.test"],
    ["a name too long for a common name", longName, "-verify_hostname", longName],
    ["IPv4", "127.0.0.1", "-verify_ip", "127.0.0.1"],
    ["IPv6", "::1", "-verify_ip", "::1"],
    ["IPv6 in brackets", "[2001:db8::a:1]", "-verify_ip", "2001:db8::a:1"],
    ["IPv6 with IPv4 at its end", "::ffff:192.0.2.1", "-verify_ip", "::ffff:192.0.2.1"],
    ["IPv6 with a zone", "fe80::1%eth0", "-verify_ip", "fe80::1"],
    ["IPv6 in full", "2001:0db8:0:0:0:0:0:1", "-verify_ip", "2001:db8::1"],
  ])("%s", async (_, name, check, expected) => {
    const ca = authority();
    const leaf = ca.leaf(name);
    expect(leaf.cert.endsWith(ca.cert)).toBe(true);
    if (hasOpenssl) expect(await opensslVerify(ca.cert, leaf.cert, check, expected)).toBe("leaf.pem: OK");
  });

  test("a certificate for one name is not one for another", async () => {
    const ca = authority();
    if (!hasOpenssl) return;
    const said = await opensslVerify(ca.cert, ca.leaf("a.test").cert, "-verify_hostname", "b.test");
    expect(said).toContain("hostname mismatch");
  });

  test.each([
    "",
    ".",
    "a..test",
    "a b.test",
    "a\u0000.test",
    "a\r\nb.test",
    `${"a.".repeat(130)}test`,
    "*",
    "*.*.test",
    "a.*.test",
    "-a.test",
    `${"a".repeat(64)}.test`,
    "1.2.3.4:80",
    "http://a.test",
    "\u00fc".repeat(300),
  ])(
    "CA_BAD_NAME: %j",
    (name) => {
      expect(codeThrown(() => authority().leaf(name))).toBe("CA_BAD_NAME");
    },
  );
});

describe("what a certificate says", () => {
  test("its times, serial number and key", () => {
    const ca = authority();
    const [first, second] = ["a.test", "b.test"].map((name) => new X509Certificate(ca.leaf(name).cert));
    const days = (Date.parse(first?.validTo ?? "") - Date.parse(first?.validFrom ?? "")) / DAY;
    expect(days).toBeLessThanOrEqual(397);
    expect(Date.parse(first?.validFrom ?? "")).toBeLessThan(Date.now());
    expect(first?.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(first?.serialNumber).not.toBe(second?.serialNumber);
    expect(ca.leaf("a.test").key).toBe(leafKey().pem);
    expect(ca.spki).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  });

  test("the hash of its key is the one that Chromium computes", () => {
    const ca = authority();
    const spki = new X509Certificate(ca.leaf("a.test").cert).publicKey.export({ type: "spki", format: "der" });
    expect(Buffer.from(spki).equals(Buffer.from(leafKey().spki))).toBe(true);
  });

  test("it is never valid longer than its authority", () => {
    const ca = authority({ days: 10 });
    const leaf = new X509Certificate(ca.leaf("a.test").cert);
    expect(leaf.validTo).toBe(new X509Certificate(ca.cert).validTo);
  });

  test("times from 2050 on", async () => {
    const clock = (): number => Date.UTC(2049, 11, 1);
    const ca = authority({ clock });
    const { cert } = ca.leaf("a.test");
    expect(new X509Certificate(cert).validTo).toContain("2050");
    const now = String(clock() / 1000);
    if (hasOpenssl) expect(await opensslVerify(ca.cert, cert, "-attime", now)).toBe("leaf.pem: OK");
  });
});

describe("authorities of users", () => {
  test.each(["P-256", "P-384", "RSA", "Ed25519"])("%s", async (kind) => {
    const pair = userAuthority({ kind });
    const ca = new Authority(der, readIssuer(der, pair, source, Date.now));
    if (hasOpenssl) expect(await opensslVerify(ca.cert, ca.leaf("shop.test").cert)).toBe("leaf.pem: OK");
  });
});

describe("remembering", () => {
  test("B51 a hundred first requests for one name make one certificate", async () => {
    const ca = authority();
    const leaves = await Promise.all(
      Array.from({ length: 100 }, () => Promise.resolve().then(() => ca.leaf("shop.test"))),
    );
    expect(new Set(leaves.map((leaf) => leaf.cert)).size).toBe(1);
    expect(ca.issued).toBe(1);
    expect(ca.secureServer("SHOP.test")).toBe(ca.secureServer("shop.test"));
    expect(ca.issued).toBe(1);
  });

  test("B50 two hundred names, one certificate each; beyond the limit the oldest is forgotten", () => {
    const ca = authority({ capacity: 200 });
    const names = Array.from({ length: 200 }, (_, index) => `host-${index}.test`);
    for (const name of [...names, ...names]) ca.leaf(name);
    expect(ca.issued).toBe(200);
    ca.leaf("host-0.test"); // used again, so host-1 is the oldest now
    ca.leaf("one-more.test");
    ca.leaf("host-0.test");
    expect(ca.issued).toBe(201);
    ca.leaf("host-1.test");
    expect(ca.issued).toBe(202);
  });

  test("B52 a certificate is renewed before it ends, and so is its server", () => {
    let now = Date.now();
    const ca = authority({ clock: () => now, days: 3650 });
    const [leaf, server] = [ca.leaf("shop.test"), ca.secureServer("shop.test")];
    now += 390 * DAY;
    expect(ca.leaf("shop.test")).toBe(leaf);
    now += 5.5 * DAY;
    const renewed = ca.leaf("shop.test");
    expect(renewed.cert).not.toBe(leaf.cert);
    expect(ca.secureServer("shop.test")).not.toBe(server);
    expect(Date.parse(new X509Certificate(renewed.cert).validTo)).toBeGreaterThan(now + 390 * DAY);
  });

  test("an authority that is about to end does not make a certificate for every connection", () => {
    let now = Date.now();
    const ca = authority({ clock: () => now, days: 1 });
    now += 0.9 * DAY;
    for (let count = 0; count < 50; count++) ca.leaf("shop.test");
    expect(ca.issued).toBe(1);
    now += DAY;
    expect(codeThrown(() => ca.leaf("shop.test"))).toBe("CA_EXPIRED");
  });

  test("servers are shared by name and options", () => {
    const ca = authority();
    expect(ca.secureServer("a.test", { alpn: ["h2", "http/1.1"] })).toBe(
      ca.secureServer("a.test", { alpn: ["h2", "http/1.1"] }),
    );
    expect(ca.secureServer("a.test", { alpn: ["h2"] })).not.toBe(ca.secureServer("a.test"));
    expect(ca.secureServer("b.test")).not.toBe(ca.secureServer("a.test"));
  });
});
