// Tapes that are there, of whatever origin.
import { Buffer } from "node:buffer";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { readTape, scan, writeTape } from "../../../src/tape/mod.ts";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import { har, harEntry, record } from "../tapes.ts";
import { generator } from "./carriers.ts";

const of = generator(5);
const token = `ghp_${of("base62", 36)}`;
const random = of("base62", 40);

async function put(folder: TempFolder, name: string, content: string | Uint8Array): Promise<string> {
  const path = folder.file(...name.split("/"));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

const full = har(
  harEntry(),
  harEntry({
    request: {
      method: "POST",
      url: `https://shop.test/login?api_key=${random}&x=1`,
      headers: [{ name: "Authorization", value: `Bearer ${token}` }, { name: "x-info", value: random }],
      cookies: [{ name: "sid", value: "abc" }],
      queryString: [{ name: "api_key", value: random }],
      postData: { mimeType: "application/x-www-form-urlencoded", params: [{ name: "password", value: "hunter2" }] },
    },
    response: {
      headers: [{ name: "Set-Cookie", value: "sid=abcdef; Path=/" }],
      content: {
        mimeType: "application/json",
        encoding: "base64",
        text: Buffer.from(JSON.stringify({ a: [{ secret: "s3cret" }], b: random })).toString("base64"),
      },
    },
  }),
);

test("every place of a HAR file, once, with what it is, and never whole", async () => {
  await using folder = await tempFolder();
  const path = await put(folder, "a.har", full);
  const findings = await scan([path]);
  expect(findings.map(({ field, kind }) => `${field}: ${kind}`)).toEqual([
    "request.url: api_key",
    "request.headers.authorization: authorization",
    "request.headers.x-info: random value",
    "request.postData.params.password: password",
    "response.headers.set-cookie: sid",
    "response.content: secret",
    "response.content $.b: random value",
  ]);
  for (const { entry, excerpt, path: file, fix } of findings) {
    expect(entry).toBe("log.entries[1] (POST https://shop.test/login)");
    expect(file).toBe(path);
    expect(excerpt).toMatch(/^.{0,4}\.\.\. \(\d+ characters\)$/);
    expect(fix).not.toBe("");
  }
  expect(findings[6]!.fix).toBe('If it is a secret: redact: { json: ["$.b"] }; if not: redact: { allow: ["$.b"] }.');
  const text = JSON.stringify(findings);
  for (const secret of [token, random, "hunter2", "s3cret"]) expect(text).not.toContain(secret);
});

test("what is found is gone when the tape is written again, as the finding says", async () => {
  await using folder = await tempFolder();
  const path = await put(folder, "a.har", full);
  const redact = { json: ["$.b"], headers: ["x-info"] };
  await writeTape(path, await readTape(path), { redact });
  expect(await scan([path])).toEqual([]);
});

test("folders, body files, recordings of others, and what is no tape at all", async () => {
  await using folder = await tempFolder();
  await put(
    folder,
    "one/a.har",
    har(harEntry({ response: { content: { mimeType: "text/plain", _file: "body.txt" } } })),
  );
  await put(folder, "one/a.har.d/body.txt", `the key is ${token}`);
  await put(folder, "one/a.har.d/left.json", JSON.stringify({ password: "not of this tape" }));
  await put(
    folder,
    "two/vcr.yml",
    `http_interactions:\n- request:\n    headers:\n      Authorization: ["Bearer ${random}"]\n    body: {string: "key=${token}"}\n`,
  );
  await put(folder, "two/nock.json", JSON.stringify([{ scope: "https://a.test", body: { client_secret: "abc" } }]));
  await put(folder, "two/notes.md", token);
  await put(folder, "two/broken.har", `{"log": {"entries": [ ${token}`);
  await put(folder, "clean/b.har", har(harEntry()));
  await symlink(folder.file("two"), folder.file("clean", "link"));
  const found = (await scan([folder.path])).map(({ path, field, kind }) =>
    `${path.slice(folder.path.length + 1)} ${field} ${kind}`
  );
  expect(found.map((line) => line.replaceAll("\\", "/"))).toEqual([
    "one/a.har response.content (body.txt) github_token",
    "two/broken.har text github_token",
    "two/nock.json text client_secret",
    "two/vcr.yml text bearer",
    "two/vcr.yml text github_token",
  ]);
  expect(await scan([folder.file("clean")])).toEqual([]);
});

test("WebSocket messages of browsers", async () => {
  await using folder = await tempFolder();
  const entry = {
    ...harEntry(),
    _webSocketMessages: [{ type: "send", time: 1, opcode: 1, data: `{"token":"${random}"}` }],
  };
  const path = await put(folder, "ws.har", har(entry));
  expect((await scan([path])).map(({ field, kind }) => `${field} ${kind}`)).toEqual([
    "_webSocketMessages[0].data token",
  ]);
});

test("our own tapes have nothing to find", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [{
    method: "POST",
    url: `https://bob:pw@shop.test/login?api_key=${random}`,
    headers: { authorization: `Bearer ${token}`, cookie: "sid=1", "content-type": "application/json" },
    body: JSON.stringify({ password: "hunter2" }),
    response: { headers: { "set-cookie": "sid=2" }, json: { token, filler: "x".repeat(3000) } },
  }]);
  expect(await scan([folder.path])).toEqual([]);
});

test("options of the tape count; a path that is not there is an error", async () => {
  await using folder = await tempFolder();
  const path = await put(folder, "a.har", full);
  const allow = ["api_key", "authorization", "x-info", "password", "set-cookie", "sid", "secret", "b", token];
  expect(await scan([path], { redact: { allow } })).toEqual([]);
  await expect(scan([folder.file("none")])).rejects.toThrow("there is nothing to scan at");
});

test("a file that is nested deeper than anybody nests is looked at as text", async () => {
  await using folder = await tempFolder();
  const deep = (inner: string) => `${"[".repeat(50_000)}${inner}${"]".repeat(50_000)}`;
  const token = `ghp_${"a1B2c3D4e5F6".repeat(3)}`;
  for (const inner of ["1", `"${token}"`]) {
    const entry = `{"request":{"method":"GET","url":"https://a.test/","headers":[]},"response":{"x":${deep(inner)}}}`;
    await writeFile(folder.file("a.har"), `{"log":{"version":"1.2","entries":[${entry}]}}`);
    expect((await scan([folder.path])).map(({ kind }) => kind)).toEqual(inner === "1" ? [] : ["github_token"]);
  }
});
