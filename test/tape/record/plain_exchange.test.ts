import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { FlowHeaders } from "../../../src/flow/headers.ts";
import { encodeEntry } from "../../../src/tape/encode.ts";
import type { ExchangeParts } from "../../../src/tape/parts.ts";
import { settleDates } from "../../../src/tape/record/dates.ts";
import { encoded, type EncodedExchange } from "../../../src/tape/record/journal.ts";
import { PlainExchanges } from "../../../src/tape/record/plain_exchange.ts";
import { Ledger } from "../../../src/tape/redact/placeholders.ts";
import { createWritingRedactor } from "../../../src/tape/redact/redactor.ts";

/** The same numbers in every run. */
function dice(seed: number): (sides: number) => number {
  return (sides) => {
    seed = (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((seed ^ (seed >>> 13)) >>> 0) % sides;
  };
}

const TOKENS = Array.from(
  { length: 9 },
  (_, i) => `ghp_${"aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3h".slice(i)}${"x4Yz".repeat(9)}`.slice(0, 40),
);

/** What two ways of encoding make of the same exchange. */
class Both {
  readonly #ledger = new Ledger();
  readonly #slow = createWritingRedactor({}, new Ledger());
  readonly #quick = createWritingRedactor({}, this.#ledger);
  readonly #plain = new PlainExchanges({ redactor: this.#quick, keepBody: fileOf, words: () => this.#ledger.words });
  quickly = 0;

  async encode(exchange: ExchangeParts): Promise<[quick: EncodedExchange, slow: EncodedExchange]> {
    const slow = await encodeSlowly(exchange, this.#slow);
    const quick = this.#plain.encode(exchange);
    if (quick !== undefined) this.quickly++;
    return [quick ?? await encodeSlowly(exchange, this.#quick), slow];
  }
}

async function encodeSlowly(exchange: ExchangeParts, redactor: ReturnType<typeof createWritingRedactor>) {
  const keepBody = (bytes: Uint8Array) => Promise.resolve(fileOf(bytes));
  const entry = await encodeEntry(exchange, { redactor, times: false, keepBody });
  settleDates(entry.response.headers);
  return encoded(entry);
}

function fileOf(bytes: Uint8Array): string {
  return `${bytes.length}.txt`;
}

function exchangeOf(roll: (sides: number) => number): ExchangeParts {
  const pick = <T>(from: readonly T[]): T => from[roll(from.length)]!;
  const token = () => pick(TOKENS);
  const some = (lines: string[]) => lines.filter(() => roll(5) < 2).map((line) => `${line}\r\n`).join("");
  const message = (lines: string[]) => ({
    httpVersion: pick(["1.0", "1.1", "2"] as const),
    headers: FlowHeaders.fromFields(some(lines)),
    trailers: undefined,
    encoded: false,
    body: pick([
      "",
      '{"a":1,"b":"\u00e9"}',
      `{"token":"${token()}","n":1}`,
      "x=1&password=hunter22",
      "word ".repeat(600),
      `text with ${token()}`,
      "\0\u0001\u00ff",
    ].map((text, i) => Buffer.from(text, i === 6 ? "latin1" : "utf8"))),
  });
  return {
    method: pick(["GET", "POST", "HEAD"]),
    url: `http://shop.test/${pick(["", "a?b=1&c=%20d", `?token=${token()}`, `p/${roll(1000)}`])}`,
    status: pick([200, 302, 404]),
    reason: pick(["OK", "", "N\u00f6"]),
    failure: undefined,
    timings: undefined,
    comment: undefined,
    request: message([
      "Host: shop.test",
      `Cookie: session=${token()}; a=1`,
      "cookie: x=y",
      "Accept:*/*",
      "X-Empty: ",
      `Authorization: Bearer ${token()}`,
      `X-Thing: ${token()}`,
      'X-Quoted: "\u00e9\\"',
      `Referer: https://user:pass@shop.test/?token=${token()}`,
      `Content-Type: ${pick(["application/json", "text/plain; charset=latin1", "application/x-www-form-urlencoded"])}`,
      "Location: /not-a-response",
      "Set-Cookie: not=a-response",
      "Date: Thu, 01 Jan 2026 00:00:00 GMT",
      "Content-Encoding: identity",
      `X-Request-Id: ${roll(1e9)}`,
    ]),
    response: message([
      "Server: origin",
      `Date: ${pick(["Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:09 GMT", "nonsense"])}`,
      "date: second",
      "Age: 77",
      "Expires: Thu, 01 Jan 2026 01:00:00 GMT",
      "Expires: 0",
      `Last-Modified: ${pick(["Thu, 01 Jan 2026 00:00:09 GMT", "Thu, 01 Jan 2020 00:00:00 GMT"])}`,
      `Set-Cookie: s=${token()}; Expires=Fri, 01 Jan 2027 00:00:00 GMT; Path=/`,
      "set-cookie: plain",
      `Location: ${pick(["/a", `https://shop.test/?code=${token()}`])}`,
      "LOCATION: /second",
      `Content-Type: ${pick(["application/json", "text/html", "image/png", 'text/plain; charset="utf-8"'])}`,
      "Content-Length: 5",
      `ETag: "${token()}"`,
      "Cookie: not=a-request",
      "Content-Encoding: gzip",
    ]),
  };
}

describe("an exchange that is encoded at once", () => {
  test("stands on the tape as one that is not", async () => {
    const roll = dice(7);
    const both = new Both();
    for (let i = 0; i < 3000; i++) {
      const [quick, slow] = await both.encode(exchangeOf(roll));
      expect(quick).toEqual(slow);
    }
    expect(both.quickly).toBeGreaterThan(1000);
  });

  test("a line that was no secret is one when what stands in it has become known", async () => {
    const both = new Both();
    const secret = "Zk3vQ9xT1mB7nW5cJ8rL2hY6";
    const exchange = (lines: string): ExchangeParts => ({
      ...exchangeOf(dice(1)),
      method: "GET",
      url: "http://shop.test/",
      request: {
        httpVersion: "1.1",
        headers: FlowHeaders.fromFields(lines),
        trailers: undefined,
        encoded: false,
        body: new Uint8Array(0),
      },
      response: {
        httpVersion: "1.1",
        headers: FlowHeaders.fromFields(""),
        trailers: undefined,
        encoded: false,
        body: new Uint8Array(0),
      },
    });
    const named = `X-Trace-Hash: ${secret}\r\n`;
    const [before] = await both.encode(exchange(named));
    expect(before.json).toContain(secret);
    await both.encode(exchange(`Authorization: Bearer ${secret}\r\n`));
    const [after, slow] = await both.encode(exchange(named));
    expect(after).toEqual(slow);
    expect(after.json).not.toContain(secret);
  });
});
