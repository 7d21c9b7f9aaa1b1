// What stands on the tape in the place of secrets, and what clients are given on replay.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { Ledger } from "../../../src/tape/redact/placeholders.ts";
import { tempFolder } from "../../support/temp.ts";
import { type FlowInit, flowOf, open, pass, record } from "../tapes.ts";
import { generator } from "./carriers.ts";

const of = generator(7);
const json = { "content-type": "application/json" };

function login(token: string, session: string): FlowInit[] {
  return [
    {
      method: "POST",
      url: "https://shop.test/login",
      headers: json,
      body: JSON.stringify({ user: "ann", password: "hunter2" }),
      response: { headers: { ...json, "set-cookie": `sid=${session}; Path=/` }, json: { token, again: { token } } },
    },
    {
      url: "https://shop.test/me",
      headers: { authorization: `Bearer ${token}`, cookie: `sid=${session}` },
      response: { headers: { "content-type": "text/plain" }, body: `you have ${token}` },
    },
  ];
}

test("the same secret has the same placeholder wherever it stands, and other secrets give the same file", async () => {
  await using folder = await tempFolder();
  await record(folder.file("a.har"), login(of("base62", 32), of("base62", 24)));
  await record(folder.file("b.har"), login(of("base62", 32), of("base62", 24)));
  const a = await readFile(folder.file("a.har"), "utf8");
  expect(await readFile(folder.file("b.har"), "utf8")).toBe(a);
  // sid comes before the body, so the token is token-1 and was met in JSON first.
  expect(a).toContain("Bearer [redacted:token-1]");
  expect(a).toContain("you have [redacted:token-1]");
  expect(a).toContain("sid=[redacted:sid-1]");
  expect(a).toContain('\\"password\\":\\"[redacted:password-1]\\"');
  expect(a).not.toContain("-2]");
});

test("two secrets can be told apart", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const me = (token: string, body: string) => ({
    url: "https://shop.test/me",
    headers: { authorization: `Bearer ${token}` },
    ...(body && { response: { headers: { "content-type": "text/plain" }, body } }),
  });
  const [ann, bob] = [of("base62", 32), of("base62", 32)];
  await record(path, [me(ann, "ann"), me(bob, "bob"), me(ann, "ann again")]);
  const { tape } = await open(path, { mode: "replay" });
  const who = async (token: string) => (await pass(tape, me(token, ""))).response!.text();
  const [x, y] = [of("base62", 32), of("base62", 32)];
  // Who comes first is who came first; from then on each is the same.
  expect([await who(x), await who(y), await who(y), await who(x), await who(y)]).toEqual([
    "ann",
    "bob",
    "bob",
    "ann again",
    "bob",
  ]);
  await tape.close();

  const { tape: second } = await open(path, { mode: "replay" });
  expect((await pass(second, me("[redacted:authorization-2]", ""))).response!.text()).toBe("bob");
  await second.close();
});

test("what is added to a tape later does not take numbers that are there", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const get = (name: string, token: string): FlowInit => ({
    url: `https://shop.test/${name}`,
    headers: { authorization: `Bearer ${token}` },
    response: { body: name },
  });
  const [first, second] = [of("base62", 32), of("base62", 32)];
  await record(path, [get("a", first)]);
  const { tape } = await open(path, { mode: "auto" });
  const { response: _, ...known } = get("a", first);
  expect((await pass(tape, known)).response!.text()).toBe("a");
  tape.record(flowOf(get("b", first)));
  tape.record(flowOf(get("c", second)));
  await tape.close();
  const text = await readFile(path, "utf8");
  expect(text.match(/Bearer \[redacted:[^\]]*\]/g)).toEqual([
    "Bearer [redacted:authorization-1]",
    "Bearer [redacted:authorization-1]",
    "Bearer [redacted:authorization-2]",
  ]);
});

describe("restore", () => {
  const token = of("base62", 32);
  const redact = { restore: { SHOP: "SHOP_TOKEN_OF_TEST" } };
  const exchange: FlowInit = {
    url: `https://shop.test/hook/${token}?a=1`,
    response: { headers: { ...json, "x-key-of": `a ${token}` }, json: { note: `it is ${token}.`, value: token } },
  };

  async function recordWith(path: string, flow: FlowInit): Promise<void> {
    const { tape } = await open(path, { mode: "record", redact }, undefined, { SHOP_TOKEN_OF_TEST: token });
    tape.record(flowOf(flow));
    await tape.close();
  }

  test("what is in the environment has its name on every tape, wherever it stands, and is given back", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await recordWith(path, exchange);
    const text = await readFile(path, "utf8");
    expect(text).not.toContain(token);
    expect(text.match(/\[redacted:SHOP\]/g)!.length).toBeGreaterThan(3);

    const other = of("base62", 20);
    const { tape } = await open(path, { mode: "replay", redact }, undefined, { SHOP_TOKEN_OF_TEST: other });
    const { response } = await pass(tape, { url: `https://shop.test/hook/${other}?a=1` });
    expect(response!.json()).toEqual({ note: `it is ${other}.`, value: other });
    expect(response!.headers.get("x-key-of")).toBe(`a ${other}`);
    await tape.close();
  });

  test("also without correlation; and without the variable, clients are given what is on the tape", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await recordWith(path, { ...exchange, url: "https://shop.test/x" });
    const off = { mode: "replay", redact, match: { correlate: false } } as const;
    const { tape } = await open(path, off, undefined, { SHOP_TOKEN_OF_TEST: token });
    expect((await pass(tape, { url: "https://shop.test/x" })).response!.json()).toMatchObject({ value: token });
    await tape.close();
    const { tape: bare } = await open(path, { mode: "replay", redact });
    expect((await pass(bare, { url: "https://shop.test/x" })).response!.json()).toMatchObject({
      value: "[redacted:SHOP]",
    });
    await bare.close();
  });

  test.each([
    [{ restore: ["A"] }, 'tape.redact.restore is ["A"]: an object is accepted'],
    [{ restore: { "a b": "C" } }, 'tape.redact.restore has the name "a b": letters, digits'],
    [{ restore: { A: 1 } }, "tape.redact.restore.A is 1: the name of an environment variable is accepted"],
    [{ patterns: ["x"] }, 'tape.redact.patterns is ["x"]: an array of RegExp is accepted'],
    [{ allow: [1] }, "tape.redact.allow is [1]: an array of names, places, values and RegExp is accepted"],
  ])("%j is refused", async (redact, message) => {
    await expect(open("a.har", { redact: redact as never })).rejects.toThrow(message);
  });
});

test("a ledger does not grow without bound, and placeholders are placeholders again", () => {
  const ledger = new Ledger();
  for (let i = 0; i < 150_000; i++) ledger.of(`secret${i}`, "token");
  expect(ledger.of("secret5", "other")).toBe("[redacted:token-6]");
  expect(ledger.of("x", "user[pass-word]")).toBe("[redacted:user_pass_word-1]");
  expect(ledger.of("y", "\u{1f511}")).toBe("[redacted:secret-1]");
});

test("a recording with other secrets is the same file, however long they are", async () => {
  await using folder = await tempFolder();
  const texts: string[] = [];
  for (const length of [20, 33]) {
    const token = "k3Jd9xQ2".repeat(8).slice(0, length);
    const json = (value: unknown) => {
      const body = JSON.stringify(value);
      return { body, headers: { "content-type": "application/json", "content-length": String(body.length) } };
    };
    const path = folder.file(`${length}`, "a.har");
    await record(path, [
      {
        method: "POST",
        url: "https://shop.test/login",
        ...json({ user: "ann", password: token }),
        response: json({ access_token: token }),
      },
      { url: "https://shop.test/page", response: json({ access_token: token, large: "x".repeat(4000) }) },
    ]);
    texts.push(await readFile(path, "utf8"));
  }
  expect(texts[1]).toBe(texts[0]);
});
