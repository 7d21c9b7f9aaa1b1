// What is replaced by what, on tapes made by hand.
import { describe, expect, test } from "vitest";
import type { FlowRequest } from "../../../src/flow/request.ts";
import { FlowResponse } from "../../../src/flow/response.ts";
import { outlineOf, substitute } from "../../../src/tape/correlate/unusual.ts";
import { tempFolder } from "../../support/temp.ts";
import { type FlowInit, flowOf, open, type Opened, pass, record } from "../tapes.ts";

const json = { "content-type": "application/json" };
const text = { "content-type": "text/plain" };
const A = "3f2b8c1e-5a4d-4e6f-8a9b-0c1d2e3f4a5b";
const B = "9c8b7a65-4321-4fed-8cba-987654321000";
const C = "11112222-3333-4444-8555-666677778888";

/** Records exchanges, and opens the tape to replay them. */
async function replaying(
  flows: FlowInit[],
  use: (opened: Opened) => Promise<void>,
  options: Parameters<typeof open>[1] = {},
): Promise<void> {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, flows, { redact: options.redact });
  const opened = await open(path, { mode: "replay", ...options });
  try {
    await use(opened);
  } finally {
    await opened.tape.close();
  }
}

async function answerTo(opened: Opened, init: FlowInit): Promise<string> {
  const { response } = await pass(opened.tape, init);
  return `${response!.status} ${response!.text()}`;
}

const put = (id: string): FlowInit => ({
  method: "PUT",
  url: `https://shop.test/orders/${id}`,
  headers: json,
  body: `{"id":"${id}"}`,
});

describe("echoes", () => {
  test("of a header field that does not count", () =>
    replaying([{
      url: "https://shop.test/a",
      headers: { "x-request-id": A },
      response: { headers: { ...text, "x-request-id": A }, body: `request ${A}` },
    }], async (opened) => {
      const { response } = await pass(opened.tape, { url: "https://shop.test/a", headers: { "x-request-id": B } });
      expect([response!.headers.get("x-request-id"), response!.text()]).toEqual([B, `request ${B}`]);
      // And without one, as it is recorded.
      const bare = await pass(opened.tape, { url: "https://shop.test/a" });
      expect(bare.response!.text()).toBe(`request ${B}`);
    }));

  test("of a parameter that is ignored: JSONP", () =>
    replaying(
      [{
        url: "https://shop.test/a?cb=jQuery1234567_89&x=1",
        response: { headers: text, body: "jQuery1234567_89({})" },
      }],
      async (opened) => {
        expect(await answerTo(opened, { url: "https://shop.test/a?cb=jQuery7654321_11&x=1" })).toBe(
          "200 jQuery7654321_11({})",
        );
      },
      { match: { query: { ignore: ["cb"] } } },
    ));

  test("short and usual values are left alone", () =>
    replaying([{
      url: "https://shop.test/a",
      headers: { "x-page": "1", "x-lang": "german" },
      response: { headers: text, body: "page 1 in german" },
    }], async (opened) => {
      const asked = { url: "https://shop.test/a", headers: { "x-page": "2", "x-lang": "french" } };
      expect(await answerTo(opened, asked)).toBe("200 page 1 in german");
    }));
});

describe("identifiers that clients draw by lot", () => {
  const flows: FlowInit[] = [
    { ...put(A), response: { headers: { ...json, location: `/orders/${A}` }, body: `{"id":"${A}","state":"new"}` } },
    {
      url: `https://shop.test/orders/${A}?full=1`,
      response: { headers: json, body: `{"id":"${A}","links":["/x/${A}"]}` },
    },
  ];

  test("in path and body, then in later requests", () =>
    replaying(flows, async (opened) => {
      const { response } = await pass(opened.tape, put(B));
      expect(response!.headers.get("location")).toBe(`/orders/${B}`);
      expect(response!.json()).toEqual({ id: B, state: "new" });
      expect(await answerTo(opened, { url: `https://shop.test/orders/${B}?full=1` })).toBe(
        `200 {"id":"${B}","links":["/x/${B}"]}`,
      );
    }));

  test("another body is another request", () =>
    replaying(flows, async (opened) => {
      expect(await answerTo(opened, { ...put(B), body: `{"id":"${B}","more":1}` })).toContain(
        "502 Nothing on the tape",
      );
      expect(await answerTo(opened, { ...put(B), body: `{"id":"${C}"}` })).toContain("502 Nothing on the tape");
    }));

  test("in a GET they are another request, until they are known", () =>
    replaying(flows, async (opened) => {
      expect(await answerTo(opened, { url: `https://shop.test/orders/${B}?full=1` })).toContain(
        "502 Nothing on the tape",
      );
    }));

  test("in a GET that is answered with them, too", () =>
    replaying(
      [{ url: `https://shop.test/products/${A}`, response: { headers: json, body: `{"id":"${A}"}` } }],
      async (opened) => {
        expect(await answerTo(opened, { url: `https://shop.test/products/${B}` })).toContain("502 Nothing on the tape");
      },
    ));

  test("what the client says as it is recorded is answered as it is recorded", () =>
    replaying(flows, async (opened) => {
      await pass(opened.tape, put(B));
      expect(await answerTo(opened, { url: `https://shop.test/orders/${A}?full=1` })).toContain(`"id":"${A}"`);
      expect(await answerTo(opened, put(A))).toBe(`200 {"id":"${A}","state":"new"}`);
    }));

  test("where two stand for one, each is told its own", () =>
    replaying(flows, async (opened) => {
      await pass(opened.tape, put(B));
      await pass(opened.tape, put(C));
      for (const id of [B, C, B]) {
        expect(await answerTo(opened, { url: `https://shop.test/orders/${id}?full=1` })).toContain(`"id":"${id}"`);
      }
    }));

  test.each([0, 3000])("a hundred at once, with %i bytes besides: each has its own", (besides) => {
    const large = (id: string): FlowInit => ({
      ...put(id),
      body: JSON.stringify({ id, besides: "x".repeat(besides) }),
    });
    return replaying(
      Array.from({ length: 100 }, (_, i): FlowInit => {
        const id = A.replace("3f2b8c1e", String(10_000_000 + i));
        return { ...large(id), response: { headers: json, body: `{"id":"${id}","n":${i}}` } };
      }),
      async (opened) => {
        const ids = Array.from({ length: 100 }, (_, i) => B.replace("9c8b7a65", String(20_000_000 + i)));
        const answers = await Promise.all(ids.map(async (id) => (await pass(opened.tape, large(id))).response!.json()));
        expect(answers).toEqual(ids.map((id, n) => ({ id, n })));
      },
    );
  });
});

describe("what a server gives", () => {
  const flows: FlowInit[] = [
    { method: "POST", url: "https://shop.test/carts", response: { headers: json, body: `{"cart":"${A}"}` } },
    { url: `https://shop.test/carts/${A}`, response: { headers: json, body: `{"cart":"${A}","items":[]}` } },
  ];

  test("is another one when a server has given another one in this run", () =>
    replaying(flows, async (opened) => {
      const live = flowOf({
        method: "POST",
        url: "https://other.test/carts",
        response: { headers: json, body: `{"cart":"${B}"}` },
      });
      opened.tape.record(live);
      expect(await answerTo(opened, { url: `https://shop.test/carts/${B}` })).toBe(`200 {"cart":"${B}","items":[]}`);
      expect(await answerTo(opened, { url: `https://shop.test/carts/${C}` })).toContain("502 Nothing on the tape");
    }));

  test("in mode auto what is not on the tape still goes to the network", () =>
    replaying(flows, async (opened) => {
      expect((await pass(opened.tape, { url: `https://shop.test/carts/${B}` })).response).toBeUndefined();
      expect((await pass(opened.tape, { url: `https://shop.test/carts/${A}` })).response!.status).toBe(200);
    }, { mode: "auto" }));

  test("is what a rule has made of it", () =>
    replaying(flows, async (opened) => {
      const flow = await pass(opened.tape, { method: "POST", url: "https://shop.test/carts" });
      flow.response = FlowResponse.create({ headers: json, body: '{"cart":"mine"}' });
      opened.tape.record(flow);
      expect(await answerTo(opened, { url: "https://shop.test/carts/mine" })).toBe('200 {"cart":"mine","items":[]}');
    }));
});

describe("names of what clients make anew", () => {
  test.each([
    ["state", "https://id.test/auth?state=aaaabbbb1234&x=1"],
    ["nonce", "https://id.test/auth?nonce=aaaabbbb1234"],
    ["code_challenge", "https://id.test/auth?code_challenge=aaaabbbb1234aaaabbbb1234aaaabbbb1234aaaabbb"],
    ["request_id", "https://id.test/auth?request_id=aaaabbbb1234"],
  ])("%s", (_name, url) =>
    replaying([{ url, response: { headers: text, body: "ok" } }], async (opened) => {
      expect(await answerTo(opened, { url: url.replaceAll("aaaabbbb1234", "ccccdddd5678") })).toBe("200 ok");
      expect(await answerTo(opened, { url: url.replace("id.test", "other.test") })).toContain("502");
      expect(await answerTo(opened, { url: `${url}&more=1` })).toContain("502");
    }));

  test("and no other", () =>
    replaying(
      [{ url: "https://id.test/auth?item=aaaabbbb1234", response: { headers: text, body: "ok" } }],
      async (opened) => {
        expect(await answerTo(opened, { url: "https://id.test/auth?item=ccccdddd5678" })).toContain("502");
      },
    ));
});

test("options of matching count", () =>
  replaying(
    [{ ...put(A), url: `https://shop.test/orders/${A}?ts=1`, response: { headers: json, body: `{"id":"${A}"}` } }],
    async (opened) => {
      expect(await answerTo(opened, { ...put(B), url: `https://shop.test/orders/${B}?ts=2` })).toBe(
        `200 {"id":"${B}"}`,
      );
    },
    { match: { query: { ignore: ["ts"] } } },
  ));

test("a custom matcher is asked about the request as it is on the tape", async () => {
  const seen: FlowRequest[] = [];
  await replaying(
    [{ ...put(A), response: { headers: json, body: `{"id":"${A}"}` } }],
    async (opened) => {
      expect(await answerTo(opened, put(B))).toBe(`200 {"id":"${B}"}`);
      expect(seen.at(-1)!.url).toBe(`https://shop.test/orders/${A}`);
    },
    { match: { custom: (live) => seen.push(live) > 0 } },
  );
});

test("without differences nothing is looked for, and answers are byte for byte those of the tape", () =>
  replaying(
    [{ ...put(A), response: { headers: { ...json, "x-a": "b" }, body: ` {"id" : "${A}"}\n` } }],
    async (opened) => {
      expect(await answerTo(opened, put(A))).toBe(`200  {"id" : "${A}"}\n`);
    },
  ));

describe("text", () => {
  test.each([
    ["/orders/3f2b8c1e-5a4d-4e6f-8a9b-0c1d2e3f4a5b/items", ["3f2b8c1e-5a4d-4e6f-8a9b-0c1d2e3f4a5b"], [""]],
    ["a=1&state=k3j2h4g5&b=two", ["k3j2h4g5"], ["state"]],
    ['{"nonce":"k3j2h4g5","n":123456}', ["k3j2h4g5", "123456"], ["nonce", "n"]],
    ["nothing unusual in here at all", [], []],
    ["token=[redacted:token-1]&x=1", ["[redacted:token-1]"], ["token"]],
    ["padded=YWJjZDEyMzQ1=&x", ["YWJjZDEyMzQ1="], ["padded"]],
  ])("outline of %s", (text, values, names) => {
    const outline = outlineOf(text);
    expect(outline.values).toEqual(values);
    expect(outline.names).toEqual(names);
    expect(outline.shape.split("\0").length - 1).toBe(values.length);
  });

  test("values are replaced at once, the longest first, also where they are encoded", () => {
    const pairs = new Map([["a/b1234", "b1234"], ["b1234", "a/b1234"], ["b12345678", "x"], ["$&", "$$"]]);
    expect(substitute("a/b1234 b1234 b12345678 a%2Fb1234 $&", pairs)).toBe("b1234 a/b1234 x b1234 $$");
    expect(substitute("/a%2Fb1234/b1234", pairs, "url")).toBe("/b1234/a%2Fb1234");
    expect(substitute('{"a":"k\\"1234"}', new Map([['k"1234', 'l"5678']]), "json")).toBe('{"a":"l\\"5678"}');
  });
});
