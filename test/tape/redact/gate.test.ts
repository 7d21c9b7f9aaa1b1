// What is refused, and what people read about it.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { TapeError } from "../../../src/mod.ts";
import { readTape, writeTape } from "../../../src/tape/mod.ts";
import { tempFolder } from "../../support/temp.ts";
import { type FlowInit, flowOf, har, harEntry, open, record } from "../tapes.ts";
import { generator } from "./carriers.ts";

const of = generator(99);
const secret = of("base62", 40);
const json = { "content-type": "application/json" };
const flow: FlowInit = {
  url: `https://shop.test/a?v=${secret}`,
  headers: { "x-tenant": secret },
  response: { headers: json, body: JSON.stringify({ items: [{ value: secret }], filler: "x".repeat(3000) }) },
};

/** Every byte below a folder. */
async function everything(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
  return (await Promise.all(files.map((file) => readFile(file, "latin1")))).join("\n");
}

async function refusal(work: Promise<unknown>): Promise<TapeError> {
  const error = await work.then(() => undefined, (error: unknown) => error);
  expect(error).toBeInstanceOf(TapeError);
  return error as TapeError;
}

test("a tape that would hold what looks like a secret is not written; the error says where, and what to do", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [{ url: "https://shop.test/old", response: { body: "old" } }]);
  const before = await readFile(path, "utf8");
  const error = await refusal(record(path, [{ url: "https://shop.test/fine", response: { body: "ok" } }, flow]));
  expect(error.code).toBe("TAPE_HOLDS_SECRET");
  expect(error.message).toContain("GET https://shop.test/a");
  expect(error.message).not.toContain("fine");
  expect(error.message).toContain(`request query.v: random value ${secret.slice(0, 4)}... (40 characters)`);
  expect(error.message).toContain('a secret: redact: { query: ["v"] }');
  expect(error.message).toContain('no secret: redact: { allow: ["v"] }');
  expect(error.message).toContain("response $.items.*.value: random value");
  expect(error.message).toContain("request headers.x-tenant: random value");
  expect(error.message).not.toContain(secret);
  expect(await readFile(path, "utf8")).toBe(before);
  expect(await readdir(folder.path)).toEqual(["a.har"]);
});

test("at no moment is it on disk: not in the journal, not in a file of its own", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const { tape, log } = await open(path, { mode: "record" });
  tape.record(flowOf({ url: "https://shop.test/fine", response: { body: "a".repeat(5000) } }));
  tape.record(flowOf(flow));
  for (let turn = 0; turn < 50 && !(await everything(folder.path)).includes("fine"); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(await everything(folder.path)).toContain("fine");
  expect(await everything(folder.path)).not.toContain(secret);
  await refusal(tape.close());
  expect(await everything(folder.path)).not.toContain(secret);
  expect(JSON.stringify(log)).not.toContain(secret);
});

const rest = { query: ["v"], headers: ["x-tenant"] };

test.each([
  ["json", { ...rest, json: ["$.items.*.value"] }],
  ["allow by place", { allow: ["$.items.*.value", "v", "x-tenant"] }],
  ["allow by name", { allow: ["v", "x-tenant", "value"] }],
  ["allow by value", { allow: [secret] }],
  ["allow by shape", { allow: [new RegExp(`^${secret.slice(0, 4)}[\\w+/.~=-]{36}$`)] }],
  ["patterns", { patterns: [new RegExp(secret.slice(0, 4) + "[\\w+/.~=-]{36}")] }],
])("the lines of the message settle it: %s", async (kind, redact) => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [flow], { redact });
  const text = await everything(folder.path);
  if (kind.startsWith("allow")) expect(text).toContain(secret);
  else expect(text).not.toContain(secret);
  const { tape } = await open(path, { mode: "replay", redact });
  await tape.close();
});

test("a body of text says which pattern would do, and it does", async () => {
  await using folder = await tempFolder();
  const text = { url: "https://shop.test/t", response: { headers: { "content-type": "text/plain" }, body: secret } };
  const { message } = await refusal(record(folder.file("a.har"), [text]));
  const pattern = /redact: \{ patterns: \[\/(.*)\/\] \}/.exec(message)![1]!;
  const allowed = /redact: \{ allow: \[\/(.*)\/\] \}/.exec(message)![1]!;
  await record(folder.file("b.har"), [text], { redact: { patterns: [new RegExp(pattern)] } });
  expect(await readFile(folder.file("b.har"), "utf8")).toContain("[redacted:pattern-1]");
  await record(folder.file("c.har"), [text], { redact: { allow: [new RegExp(allowed)] } });
  expect(await readFile(folder.file("c.har"), "utf8")).toContain(secret);
});

test("it is not in the path that the message shows either", async () => {
  await using folder = await tempFolder();
  const { message } = await refusal(
    record(folder.file("a.har"), [{ ...flow, url: `https://shop.test/x/${secret}/y` }]),
  );
  expect(message).not.toContain(secret);
  expect(message).toContain(`https://shop.test/x/${secret.slice(0, 4)}... (40 characters)/y`);
});

test("redact: false has no gate", async () => {
  await using folder = await tempFolder();
  await record(folder.file("a.har"), [flow], { redact: false });
  expect(await everything(folder.path)).toContain(secret);
});

test("entries that are in question do not grow without bound in the message", async () => {
  await using folder = await tempFolder();
  const flows = Array.from({ length: 50 }, (_, i) => ({ ...flow, url: `https://shop.test/${i}?v=${secret}` }));
  const { message } = await refusal(record(folder.file("a.har"), flows));
  expect(message).toContain("and 30 more");
});

test("writeTape() refuses as recording does", async () => {
  await using folder = await tempFolder();
  const path = folder.file("other.har");
  await writeFile(path, har(harEntry({ request: { url: `https://shop.test/?v=${secret}` } })));
  const tape = await readTape(path);
  const error = await refusal(writeTape(folder.file("b.har"), tape));
  expect(error.code).toBe("TAPE_HOLDS_SECRET");
  expect(error.message).toContain("log.entries[0]");
  expect(await readdir(folder.path)).toEqual(["other.har"]);
});
