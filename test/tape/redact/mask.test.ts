/**
 * What is shown and only looks like a secret: it is taken out wherever it stands, however it is written.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { Ledger } from "../../../src/tape/redact/placeholders.ts";
import { createShowingRedactor } from "../../../src/tape/redact/redactor.ts";

const RANDOM = "a+/9Zk3Qm7Xp2Lw8Rt5Vb1Nc6Hd4Jf0Gs+KyEuTi";
const MASK = "[redacted:looks-random]";
const FORM = "application/x-www-form-urlencoded";

const redactor = () => createShowingRedactor({}, new Ledger(new Map()));
const shown = (text: string, type: string) =>
  new TextDecoder().decode(redactor().body(new TextEncoder().encode(text), type));

test.each([
  ["as encodeURIComponent writes it", encodeURIComponent(RANDOM)],
  ["with small hexadecimal digits", encodeURIComponent(RANDOM).replaceAll(/%../g, (code) => code.toLowerCase())],
  ["with letters that need no encoding", `%61${encodeURIComponent(RANDOM.slice(1))}`],
])("what is percent-encoded is taken out of URLs and forms, too: %s", (_, encoded) => {
  expect(redactor().url(`http://a.test/x?keyish=${encoded}&page=1`)).toBe(`http://a.test/x?keyish=${MASK}&page=1`);
  expect(shown(`keyish=${encoded}&n=1`, FORM)).toBe(`keyish=${MASK}&n=1`);
});

test("of many values, none is left", async () => {
  const values = Array.from({ length: 60 }, (_, i) => `Q${String.fromCharCode(65 + i % 26)}${i}${RANDOM.slice(3)}`);
  const body = JSON.stringify({ items: values.map((keyish) => ({ keyish })), name: "chair" });
  const clean = JSON.parse(shown(body, "application/json"));
  expect(new Set(clean.items.map(({ keyish }: { keyish: string }) => keyish))).toEqual(new Set([MASK]));
  expect(clean.name).toBe("chair");
  const bytes = new TextEncoder().encode(body);
  const inTurns = await redactor().bodyInTurns(bytes, "application/json");
  expect(JSON.parse(new TextDecoder().decode(inTurns))).toEqual(clean);
});

test("what cannot be taken out takes all with it", () => {
  const bytes = Buffer.from(RANDOM, "utf16le");
  expect(new TextDecoder().decode(redactor().body(bytes, "text/plain; charset=utf-16le"))).toBe(MASK);
  const ordinary = new TextEncoder().encode('{"name":"chair"}');
  expect(redactor().body(ordinary, "application/json")).toBe(ordinary);
});
