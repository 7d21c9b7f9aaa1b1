// Recordings that are put together have numbered their secrets each by itself: no number may stand for two of them.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { merge, readTape, writeTape } from "../../src/tape/mod.ts";
import { renaming, type SecretFacts, secretNames } from "../../src/tape/record/secret_names.ts";
import { tempFolder } from "../support/temp.ts";
import { answer, flowOf, open, record } from "./tapes.ts";
import type { TapeOptions } from "../../src/tape/options.ts";

const base = "https://shop.test";
const json = (body: unknown) => ({ headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** What somebody says who signs in: their token is new, and so is their page, which may be large. */
const story = (who: string, { large = 0 } = {}) => {
  const token = `tok-${who}-${"k3Jd9".repeat(4)}`;
  const authorization = { authorization: `Bearer ${token}` };
  return [
    { url: `${base}/health`, headers: authorization, response: json({ ok: true }) },
    {
      method: "POST",
      url: `${base}/login`,
      ...json({ user: who, password: `pass of ${who}` }),
      response: json({ access_token: token, more: "x".repeat(large) }),
    },
    { url: `${base}/me`, headers: authorization, response: json({ name: who }) },
  ];
};

/** The placeholders of somebody's token, wherever it stands. */
async function tokensOf(path: string, who: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (const entry of await readTape(path)) {
    const request = await entry.request();
    const response = (await entry.response())!;
    const mine = request.text().includes(`"user":"${who}"`) || response.text().includes(`"name":"${who}"`);
    if (!mine) continue;
    const token = response.text().includes("access_token") ? response.text() : request.headers.get("authorization")!;
    for (const name of secretNames(token)) found.add(name);
  }
  return found;
}

describe.each([0, 5000])("two recordings at once, answers with %i bytes more", (large) => {
  test.each([["record", false], ["record", true], ["auto", false], ["auto", true]] as const)(
    "mode %s: each token has a placeholder of its own, whoever closes first",
    async (mode, turned) => {
      await using folder = await tempFolder();
      const path = folder.file("a.har");
      const options: Partial<TapeOptions> = { mode };
      const [ann, bob] = [await open(path, options), await open(path, options)];
      for (const flow of story("ann", { large })) ann.tape.record(flowOf(flow));
      for (const flow of story("bob", { large })) bob.tape.record(flowOf(flow));
      for (const { tape } of turned ? [bob, ann] : [ann, bob]) await tape.close();

      const [hers, his] = [await tokensOf(path, "ann"), await tokensOf(path, "bob")];
      expect([hers.size, his.size]).toEqual([1, 1]);
      expect([...hers]).not.toEqual([...his]);
      const passwords = [...(await readFile(path, "utf8")).matchAll(/"password\\":\\"(\[redacted:[^\]]*\])/g)];
      expect(new Set(passwords.map(([, name]) => name)).size).toBe(2);
      expect((await readdir(folder.path)).filter((name) => name !== "a.har" && name !== "a.har.d")).toEqual([]);
      // Bodies under their old names are gone.
      const referred = (await readFile(path, "utf8")).match(/"_file"/g)?.length ?? 0;
      expect((await readdir(`${path}.d`).catch(() => [])).length).toBe(referred);
    },
  );

  test("the file is the same, whoever closes first", async () => {
    await using folder = await tempFolder();
    const texts: string[] = [];
    for (const turned of [false, true]) {
      const path = folder.file(`${turned}`, "a.har");
      const all = [await open(path, { mode: "record" }), await open(path, { mode: "record" })] as const;
      for (const flow of story("ann", { large })) all[0].tape.record(flowOf(flow));
      for (const flow of story("bob", { large })) all[1].tape.record(flowOf(flow));
      for (const { tape } of turned ? [...all].reverse() : all) await tape.close();
      texts.push(await readFile(path, "utf8"));
    }
    expect(texts[1]).toBe(texts[0]);
  });
});

test("the same person twice at once: everything is there once, under the same numbers", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const both = [await open(path, { mode: "record" }), await open(path, { mode: "record" })];
  for (const { tape } of both) for (const flow of story("ann")) tape.record(flowOf(flow));
  for (const { tape } of both) await tape.close();
  expect((await readTape(path)).entries).toHaveLength(3);
  expect(new Set(secretNames(await readFile(path, "utf8"))).size).toBe(2);
});

test("what is replayed is who asks, with the tokens that they were given", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const [ann, bob] = [await open(path, { mode: "record" }), await open(path, { mode: "record" })];
  for (const flow of story("ann")) ann.tape.record(flowOf(flow));
  for (const flow of story("bob")) bob.tape.record(flowOf(flow));
  await ann.tape.close();
  await bob.tape.close();
  const { tape } = await open(path, { mode: "replay" });
  const signIn = async (user: string) =>
    JSON.parse((await answer(tape, { method: "POST", url: `${base}/login`, ...json({ user, password: "?" }) }))!);
  const [b, a] = [await signIn("bob"), await signIn("ann")];
  for (const [who, { access_token }] of [["bob", b], ["ann", a], ["bob", b]] as const) {
    const headers = { authorization: `Bearer ${access_token}` };
    expect(await answer(tape, { url: `${base}/me`, headers })).toBe(`{"name":"${who}"}`);
  }
  await tape.close();
});

test("merge(): tapes of several machines", async () => {
  await using folder = await tempFolder();
  for (const large of [0, 5000]) {
    for (const who of ["ann", "bob", "cid"]) await record(folder.file(`${who}.har`), story(who, { large }));
    const tapes = await Promise.all(["ann", "bob", "cid"].map((who) => readTape(folder.file(`${who}.har`))));
    const path = folder.file(`${large}.har`);
    await writeTape(path, merge(tapes));
    const tokens = await Promise.all(["ann", "bob", "cid"].map((who) => tokensOf(path, who)));
    expect(tokens.map(({ size }) => size)).toEqual([1, 1, 1]);
    expect(new Set(tokens.flatMap((names) => [...names])).size).toBe(3);
    // With itself it is what it was.
    await writeTape(folder.file("same.har"), merge([tapes[0]!, tapes[0]!]));
    expect(await readFile(folder.file("same.har"), "utf8")).toBe(await readFile(folder.file("ann.har"), "utf8"));
  }
});

test("a number that stands on the tape only in a body of its own file is not given again", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, story("ann", { large: 5000 }).slice(1, 2));
  const { tape } = await open(path, { mode: "auto" });
  for (const flow of story("bob", { large: 5000 }).slice(1, 2)) tape.record(flowOf(flow));
  await tape.close();
  expect([...await tokensOf(path, "ann")]).toEqual(["[redacted:access_token-1]"]);
  expect([...await tokensOf(path, "bob")]).toEqual(["[redacted:access_token-2]"]);
});

test("a recording that was broken off is numbered when it is recovered", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  // As if the process had died: its journal is that of one that is gone.
  const dead = await open(path, { mode: "auto" });
  for (const flow of story("bob")) dead.tape.record(flowOf(flow));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const folderOf = `${path}.d`;
  const journal = (await readdir(folderOf)).find((name) => name.startsWith(".journal-"))!;
  const text = (await readFile(`${folderOf}/${journal}`, "utf8")).replace(/"start":"[^"]*"/, '"start":"1"');
  await dead.tape.close();
  await record(path, story("ann"));
  await mkdir(folderOf, { recursive: true });
  await writeFile(`${folderOf}/.journal-${process.pid}-0123456789ab.jsonl`, text);
  const { tape, log } = await open(path, { mode: "auto" });
  await tape.close();
  expect(log.map(({ message }) => message).join()).toContain("was broken off");
  const [hers, his] = [await tokensOf(path, "ann"), await tokensOf(path, "bob")];
  expect([hers.size, his.size]).toEqual([1, 1]);
  expect([...hers]).not.toEqual([...his]);
});

describe("which placeholders are the same", () => {
  const fact = (key: string, same: string, ...names: string[]): SecretFacts => ({
    key,
    same,
    names: names.map((name) => `[redacted:${name}]`),
  });
  const rename = (there: SecretFacts[], coming: SecretFacts[], known: string[] = []) =>
    Object.fromEntries(renaming(there, coming, (name) => known.includes(name)));

  test("those of the same exchange, under whatever number", () => {
    expect(rename([fact("a", "a", "t-1"), fact("b", "b", "t-2")], [fact("b", "b", "t-1")])).toEqual({
      "[redacted:t-1]": "[redacted:t-2]",
    });
    expect(rename([fact("a", "a", "t-1")], [fact("a", "a", "t-1"), fact("c", "c", "t-1")])).toEqual({});
  });

  test("not those that were answered otherwise", () => {
    const there = [fact("a", "a", "t-1"), fact("me", "ann", "t-1")];
    expect(rename(there, [fact("a", "a", "t-1"), fact("me", "bob", "t-1")])).toEqual({
      "[redacted:t-1]": "[redacted:t-2]",
    });
  });

  test("one stands for no two", () => {
    const there = [fact("a", "a", "t-1")];
    const coming = [fact("a", "a", "t-1"), fact("b", "b", "t-2")];
    expect(rename(there, coming)).toEqual({});
    expect(rename([fact("x", "x", "t-2")], coming)).toEqual({ "[redacted:t-2]": "[redacted:t-3]" });
  });

  test("those that were on the tape before stay", () => {
    expect(rename([fact("a", "a", "t-1")], [fact("b", "b", "t-1")], ["[redacted:t-1]"])).toEqual({});
  });
});
