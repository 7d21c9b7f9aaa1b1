// What alerters find in flows that are over, and where it is shown.
import { describe, expect, test } from "vitest";
import {
  type Alerter,
  alerters,
  FlowRequest,
  FlowResponse,
  genericAlerter,
  HttpFlow,
  injectionAlerter,
  keywordAlerter,
  nullAlerter,
  OptionsError,
} from "../../src/mod.ts";

interface Sent {
  url?: string;
  headers?: Record<string, string>;
  body?: string;
  type?: string;
  response?: string | Uint8Array;
  responseHeaders?: Record<string, string>;
}

function flowOf(
  { url = "http://a.test/", headers = {}, body, type = "text/html", response = "", ...more }: Sent,
): HttpFlow {
  const request = FlowRequest.create({ method: body === undefined ? "GET" : "POST", url, headers, body });
  const flow = new HttpFlow(request, { id: 1, host: "127.0.0.1", port: 1 });
  flow.response = FlowResponse.create({ headers: { "content-type": type, ...more.responseHeaders }, body: response });
  return flow;
}

const found = (alerter: Alerter, sent: Sent): string[] => [...alerter(flowOf(sent)) ?? []];

describe("genericAlerter", () => {
  const inPage = (response: string) => found(genericAlerter, { response });

  test.each([
    ["an error", "<p>Fatal ERROR in line 3</p>"],
    ["a warning", "<b>Warning</b>: mysqli"],
    ["SQL", "<td>You have a mistake in your SQL syntax</td>"],
    ["LDAP", "<p>ldap_search(): bad filter"],
  ])("finds %s in the text of a page", (what, response) => {
    expect(inPage(response)).toContainEqual(expect.stringContaining(`the page mentions ${what}: "`));
  });

  test("finds passwords and credentials in scripts, those in pages too", () => {
    expect(inPage('<p>hello</p><SCRIPT>var password = "x"</SCRIPT>')).toEqual([
      'a script mentions a password: "var password = \\"x\\""',
    ]);
    const script = { type: "application/javascript", response: "const credentials = null;" };
    expect(found(genericAlerter, script)).toEqual([
      'the script mentions a credential: "const credentials = null;"',
    ]);
  });

  test("finds values of cookies, of both sides, and does not show them", () => {
    const sent = {
      headers: { cookie: "sid=c00kie-value; lang=en" },
      responseHeaders: { "set-cookie": "token=n3w-t0ken; Path=/" },
      type: "application/json",
      response: '{"a":"c00kie-value","b":"n3w-t0ken","c":"en"}',
    };
    expect(found(genericAlerter, sent)).toEqual([
      "the body holds the value of the cookie sid",
      "the body holds the value of the cookie token",
    ]);
  });

  test("finds nothing in names of tags and attributes, comments, style sheets, and words that only look so", () => {
    expect(inPage('<p class="error" data-sql="1">fine</p><!-- LDAP --><style>.warning{}</style>terror')).toEqual([]);
    expect(inPage("<p>all is well</p>")).toEqual([]);
    expect(found(genericAlerter, { type: "application/json", response: '{"error":"SQL"}' })).toEqual([]);
    expect(found(genericAlerter, { type: "image/png", response: new Uint8Array([1, 2]) })).toEqual([]);
  });

  test("reads broken and hostile pages in no time", () => {
    const began = performance.now();
    for (const piece of ["<script", "<script>", "<!--", "<", "<style ", "</script>", "<script><!--"]) {
      inPage(piece.repeat(60_000));
    }
    expect(found(genericAlerter, { response: "x".repeat(2_000_000) + " error" })).toEqual([]);
    // Quadratic work would take minutes.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test("a body that cannot be decoded has no alerts", () => {
    expect(found(genericAlerter, { response: "error", responseHeaders: { "content-encoding": "gzip" } })).toEqual([]);
  });
});

describe("keywordAlerter", () => {
  const sent = { url: "http://a.test/Admin", body: "hello", type: "text/plain", response: "Internal use, TODO" };

  test("finds words in any case, and patterns, on both sides or one", () => {
    expect(found(keywordAlerter(["admin", "internal USE", /\bTODO\b/, /todo/]), sent)).toEqual([
      'the request has "admin"',
      'the response has "internal USE"',
      "the response has /\\bTODO\\b/",
    ]);
    expect(found(keywordAlerter(["admin", "internal"], { in: "request" }), sent)).toEqual(['the request has "admin"']);
    expect(found(keywordAlerter([/o/g], { in: "response" }), sent)).toEqual([]);
    expect(found(keywordAlerter([/O/g], { in: "response" }), sent)).toEqual(["the response has /O/g"]);
  });

  test("refuses what is no word", () => {
    expect(() => keywordAlerter([])).toThrow(OptionsError);
    expect(() => keywordAlerter([""])).toThrow(/words\[0\] of keywordAlerter\(\)/);
    expect(() => keywordAlerter(["a"], { in: "reply" as never })).toThrow(OptionsError);
  });
});

describe("injectionAlerter", () => {
  const markup = "<b>injected</b>";
  const page = `<p>${markup}</p>`;

  test.each<[string, Sent]>([
    ["the query parameter q", { url: `http://a.test/?q=${encodeURIComponent(markup)}` }],
    ["the cookie name", { headers: { cookie: `name=${encodeURIComponent(markup)}` } }],
    ["the form field f", {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: `f=${encodeURIComponent(markup)}`,
    }],
    ["the JSON.a[0].b", {
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ a: [{ b: markup }] }),
    }],
  ])("finds %s that comes back unescaped", (place, sent) => {
    expect(found(injectionAlerter(), { ...sent, response: page })).toEqual([
      `${place} comes back in the response: "${markup}"`,
    ]);
  });

  test("not when it is escaped, and not words that come back by chance", () => {
    const url = `http://a.test/?q=${encodeURIComponent(markup)}&lang=english`;
    expect(found(injectionAlerter(), { url, response: "<p>&lt;b&gt;injected&lt;/b&gt; english</p>" })).toEqual([]);
  });

  test("looks for given values wherever they went in", () => {
    const alerter = injectionAlerter(["canary-1", "canary-2"]);
    expect(found(alerter, { url: "http://a.test/canary-1/x", response: "canary-1 canary-2" })).toEqual([
      'the path comes back in the response: "canary-1"',
    ]);
    expect(found(alerter, { headers: { "x-name": "a canary-2" }, response: "canary-2" })).toEqual([
      'the header X-Name comes back in the response: "canary-2"'.replace("X-Name", "x-name"),
    ]);
    expect(found(alerter, { response: "canary-1" })).toEqual([]);
    expect(() => injectionAlerter([1 as never])).toThrow(OptionsError);
  });

  test("does not show what may be a credential", () => {
    const sent = { url: "http://a.test/?password=%3Cs3cret%3E", response: "<s3cret>" };
    expect(found(injectionAlerter(), sent)).toEqual([
      "the query parameter password comes back in the response: [redacted]",
    ]);
  });
});

describe("together", () => {
  test("alerters() finds what all of them find, each once; nullAlerter finds nothing", () => {
    const one: Alerter = () => ["a", "b"];
    const other: Alerter = () => new Set(["b", "c"]);
    expect(found(alerters(nullAlerter, one, () => {}, other), {})).toEqual(["a", "b", "c"]);
    expect(() => alerters("generic" as never)).toThrow(OptionsError);
  });

  test("what is found is bounded, on one line, and without credentials", () => {
    const many: Alerter = () => Array.from({ length: 5000 }, (_, i) => `alert ${i}`);
    expect(found(alerters(many), {}).length).toBe(50);
    expect(found(alerters(() => ["token=s3cret\nand more", "x".repeat(5000)]), {})).toEqual([
      "token=[redacted] and more",
      expect.stringMatching(/^x{300}… \(4700 more characters\)$/),
    ]);
  });
});
