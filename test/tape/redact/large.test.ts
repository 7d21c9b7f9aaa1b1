// Large bodies: how long others wait, and that what is cut into pieces loses nothing.
import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { Ledger } from "../../../src/tape/redact/placeholders.ts";
import { createRedactor, createWritingRedactor } from "../../../src/tape/redact/redactor.ts";
import { generator } from "./carriers.ts";

const of = generator(31);
const token = () => `ghp_${of("base62", 36)}`;

const bodies: [type: string, body: string][] = [
  [
    "application/json",
    JSON.stringify(
      Array.from(
        { length: 20_000 },
        (_, id) => ({ id, name: `product ${id}`, tags: ["a", "b"], text: "Lorem ipsum dolor sit amet. ".repeat(3) }),
      ),
    ),
  ],
  ["text/html", "<p class='a'>Lorem ipsum <b>dolor</b> sit amet</p>\n".repeat(50_000)],
  ["text/html", "<p class='a'>Lorem ipsum <b>dolor</b> sit amet</p>".repeat(50_000)],
  ["text/javascript", "function f(a,b){return a.token===b.token?a:b};var x={key:1,pass:2};".repeat(40_000)],
  ["text/plain", "a".repeat(3_000_000)],
  ["text/plain", "a=".repeat(1_500_000)],
  ["text/plain", "token: ".repeat(400_000)],
  ["text/plain", "<".repeat(500_000)],
  ["text/plain", "https://".repeat(300_000)],
  ["text/plain", "-----BEGIN PRIVATE KEY-----".repeat(50_000)],
  ["text/html", "<input ".repeat(300_000)],
  ["text/html", "<a b".repeat(300_000)],
  ["application/json", '{"a":'.repeat(200_000)],
  ["application/json", "[".repeat(500_000)],
  ["application/json", '"\\"'.repeat(500_000)],
  ["application/x-www-form-urlencoded", "a=1&".repeat(500_000)],
  ["text/plain", "eyJ".repeat(500_000)],
  ["text/plain", "eyJhbGciOiJ9.".repeat(100_000)],
  ["text/plain", "1:A".repeat(500_000)],
  ["text/plain", "key-1_".repeat(300_000)],
  ["text/plain", "Bearer ".repeat(300_000)],
];

test.each(bodies)("%s, %.40s: neither long nor quadratic", (type, body) => {
  const bytes = Buffer.from(body);
  const start = performance.now();
  createRedactor().body(bytes, type);
  createWritingRedactor({}, new Ledger()).body(bytes, type);
  // Some twenty milliseconds a megabyte; what is quadratic takes minutes.
  expect(performance.now() - start).toBeLessThan(8000);
});

test.each([bodies[0]!, bodies[3]!])("%s, %.40s: others come to their turn meanwhile", async (type, body) => {
  const redactor = createWritingRedactor({}, new Ledger());
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const work = redactor.bodyInTurns(Buffer.from(body), type);
  await work;
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});

test.each([
  ["text/plain", "\n"],
  ["text/plain", ", "],
  ["text/html", "</b>\n"],
  ["application/json", "\n"],
  ["text/javascript", ";"],
])("%s cut at %j: secrets are found wherever they stand", async (type, gap) => {
  const secrets = Array.from({ length: 400 }, token);
  const body = secrets.map((secret, i) => `${"word ".repeat(97 + i % 13)}"${secret}"${gap}`).join("");
  const clean = Buffer.from(await createWritingRedactor({}, new Ledger()).bodyInTurns(Buffer.from(body), type))
    .toString();
  expect(secrets.filter((secret) => clean.includes(secret))).toEqual([]);
  expect(clean.replace(/\[redacted:github_token-\d+\]/g, "#")).toBe(
    secrets.reduce((text, secret) => text.replace(secret, "#"), body),
  );
});

test("a private key is not cut in two", async () => {
  const line = of("base64", 64);
  const key = `-----BEGIN PRIVATE KEY-----\n${`${line}\n`.repeat(24)}-----END PRIVATE KEY-----\n`;
  for (let shift = 0; shift < 1700; shift += 85) {
    const body = `${"x\n".repeat((65_536 - shift) / 2)}${key}${"y\n".repeat(50_000)}`;
    const clean = await createWritingRedactor({}, new Ledger()).bodyInTurns(Buffer.from(body), "text/plain");
    expect(Buffer.from(clean).toString()).not.toContain(line);
  }
});
