import { Buffer } from "node:buffer";
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../../src/tape/redact/redactor.ts";
import { tempFolder } from "../../support/temp.ts";
import { type FlowInit, open, pass, record } from "../tapes.ts";

const redactor = createRedactor({
  headers: ["X-Tenant"],
  query: ["pin"],
  json: ["ssn", "$.user.name", "items.*.card"],
});
const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP";
const R = "[redacted]";

test.each([
  ["https://shop.test/a?q=1", "https://shop.test/a?q=1"],
  ["https://bob:pw@shop.test/a", `https://${R}@shop.test/a`],
  ["https://shop.test/a@b?x=@", "https://shop.test/a@b?x=@"],
  ["https://shop.test/?a=1&access_token=abc&b=2", `https://shop.test/?a=1&access_token=${R}&b=2`],
  ["https://shop.test/?API%5FKEY=abc;d", `https://shop.test/?API%5FKEY=${R}`],
  ["https://shop.test/?token=&pin=1234", `https://shop.test/?token=&pin=${R}`],
  ["https://shop.test/cb#access_token=abc&x=1", `https://shop.test/cb#access_token=${R}&x=1`],
  ["https://shop.test/?a=1;token=abc;b=2", `https://shop.test/?a=1;token=${R};b=2`],
  [`https://shop.test/verify/${JWT}/x`, `https://shop.test/verify/${R}/x`],
])("URL %s", (url, clean) => {
  expect(redactor.url(url)).toBe(clean);
  expect(redactor.url(clean)).toBe(clean);
  expect(URL.canParse(clean)).toBe(true);
});

test.each([
  ["Authorization", "Bearer abc", `Bearer ${R}`],
  ["Authorization", "Basic dTpw", `Basic ${R}`],
  ["Authorization", 'Digest username="bob", response="1"', `Digest ${R}`],
  ["Authorization", "rawtoken", R],
  ["proxy-authorization", "Basic dTpw", `Basic ${R}`],
  ["X-Api-Key", "abc", R],
  ["X-Tenant", "acme inc", R],
  ["Cookie", "sid=abc; theme=a=b; flag", `sid=${R}; theme=${R}; flag`],
  ["Set-Cookie", "sid=abc; Path=/; HttpOnly", `sid=${R}; Path=/; HttpOnly`],
  ["Set-Cookie", "sid=; Max-Age=0", "sid=; Max-Age=0"],
  ["Access-Control-Allow-Credentials", "true", "true"],
  ["WWW-Authenticate", 'Bearer realm="x", authorization_uri="https://login.test/"', undefined],
  ["WWW-Authenticate", "Bearer authorization_uri=https://login.test/", undefined],
  ["X-Note", "sent as Bearer abcdefgh1234", `sent as Bearer ${R}`],
  ["X-Note", `id=${JWT}`, `id=${R}`],
  ["Location", "/cb?code=1&access_token=abc", `/cb?code=1&access_token=${R}`],
  ["Referer", "https://a:b@shop.test/?password=x", `https://${R}@shop.test/?password=${R}`],
  ["Link", "<https://shop.test/?token=abc>; rel=next", `<https://shop.test/?token=${R}>; rel=next`],
  ["Link", "</x?a=1&token=abc>; rel=next", `</x?a=1&token=${R}>; rel=next`],
  ["Refresh", "0; url=/x?token=abc", `0; url=/x?token=${R}`],
  ["Content-Type", "text/plain; charset=utf-8", undefined],
])("header %s: %s", (name, value, clean = value) => {
  expect(redactor.header(name, value)).toBe(clean);
  expect(redactor.header(name, clean)).toBe(clean);
});

const json = "application/json";
const form = "application/x-www-form-urlencoded";
const multipart = "multipart/form-data; boundary=AaB";
const part = (name: string, value: string) =>
  `--AaB\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

test.each([
  [json, '{ "token" : "a\\"b",\n "n": 1.0 }', `{ "token" : "${R}",\n "n": 1.0 }`],
  [json, '{"pwd":1234,"ok":true,"password":null,"secret":""}', '{"pwd":0,"ok":true,"password":null,"secret":""}'],
  [json, '{"a":{"client_secret":["x",{"y":"z","n":5}]}}', `{"a":{"client_secret":["${R}",{"y":"${R}","n":5}]}}`],
  [
    json,
    '{"deep":[{"ssn":"1"}],"user":{"name":"bob"},"name":"x"}',
    `{"deep":[{"ssn":"${R}"}],"user":{"name":"${R}"},"name":"x"}`,
  ],
  [json, '{"items":[{"card":"1"},{"card":"2"}],"card":"3"}', `{"items":[{"card":"${R}"},{"card":"${R}"}],"card":"3"}`],
  [json, '{"user":{"name":5}}', '{"user":{"name":0}}'],
  [json, '{"text":"the \\"token\\": \\"kept\\""}', undefined],
  [json, '{"max_tokens":5,"tokenizer":"x"}', undefined],
  [json, '{"token":"cut o', `{"token":"${R}"`],
  [json, '{"tok\\u0065n":"x"}', `{"tok\\u0065n":"${R}"}`],
  [json, '{"a":"{\\"token\\":\\"x\\",\\"n\\":1}"}', `{"a":"{\\"token\\":\\"${R}\\",\\"n\\":1}"}`],
  [json, '{"a":"{ \\"n\\": 1 }"}', undefined],
  [json, '{"next":"https://shop.test/?access_token=abc"}', `{"next":"https://shop.test/?access_token=${R}"}`],
  ["text/plain", ' {"password":"x"}', ` {"password":"${R}"}`],
  ["application/x-ndjson", '{"token":"a"}\n{"token":"b","x":1}\n', `{"token":"${R}"}\n{"token":"${R}","x":1}\n`],
  ["text/event-stream", 'data: {"token":"a"}\n\n', `data: {"token":"${R}"}\n\n`],
  ["text/html", `<a href="?x">${JWT}</a>`, `<a href="?x">${R}</a>`],
  [form, "user=a&password=p%26&pin=1&x=", `user=a&password=${R}&pin=${R}&x=`],
  [
    multipart,
    `${part("user", "bob")}${part("password", "a\r\nb")}--AaB--`,
    `${part("user", "bob")}${part("password", R)}--AaB--`,
  ],
  [
    multipart,
    `${part("meta", '{"token":"x"}')}${part("note", `bob ${JWT}`)}--AaB--`,
    `${part("meta", `{"token":"${R}"}`)}${part("note", `bob ${R}`)}--AaB--`,
  ],
  ["image/png", `{"token":"x"`, `{"token":"${R}"`],
  ["image/png", "\x89PNG password=x", undefined],
])("body as %s: %s", (type, text, clean = text) => {
  const redacted = redactor.body(Buffer.from(text), type);
  expect(Buffer.from(redacted).toString()).toBe(clean);
  expect(Buffer.from(redactor.body(redacted, type)).toString()).toBe(clean);
});

test("bytes that are no UTF-8 stay around what is redacted", () => {
  const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xe9]), Buffer.from('","token":"x"}')]);
  expect(Buffer.from(redactor.body(body, json)).toString("latin1")).toBe(`{"a":"\xe9","token":"${R}"}`);
});

describe("a tape", () => {
  const secret = "hunter2hunter2";
  const flow: FlowInit = {
    method: "POST",
    url: `https://shop.test/login?api_key=${secret}&x=1`,
    headers: { authorization: `Bearer ${secret}`, cookie: `sid=${secret}`, "content-type": json },
    body: JSON.stringify({ user: "bob", password: secret }),
    response: {
      headers: { "set-cookie": `sid=${secret}; Path=/` },
      json: { access_token: secret, filler: "x".repeat(3000) },
    },
  };
  const { response: _, ...request } = flow;

  test("holds no secret, and still answers requests with secrets", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [flow]);
    const [body] = await readdir(`${path}.d`);
    for (const file of [path, `${path}.d/${body}`]) expect(await readFile(file, "utf8")).not.toContain(secret);

    const { tape } = await open(path, { mode: "replay", match: { headers: ["Authorization"] } });
    const { response } = await pass(tape, { ...request, body: flow.body!.toString().replace(secret, "other") });
    expect(response!.json()).toMatchObject({ access_token: secret });
    expect((await pass(tape, { ...request, headers: { "content-type": json } })).response!.status).toBe(502);
    await tape.close();
  });

  test("with redact: false it holds everything, and secrets tell requests apart", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [flow], { redact: false });
    expect(await readFile(path, "utf8")).toContain(secret);
    const { tape } = await open(path, { mode: "replay", redact: false });
    expect((await pass(tape, { ...request, url: "https://shop.test/login?api_key=o&x=1" })).response!.status).toBe(502);
    expect((await pass(tape, request)).response!.status).toBe(200);
    await tape.close();
    // Redacting while replaying finds what was recorded without.
    const { tape: other } = await open(path, { mode: "replay" });
    expect((await pass(other, { ...request, url: "https://shop.test/login?api_key=o&x=1" })).response!.status).toBe(
      200,
    );
    await other.close();
  });

  test("a function of the user has the last word; one that returns no text is an error", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const custom = (text: string) => text.replaceAll("bob", "somebody");
    await record(path, [{ url: "https://shop.test/bob", response: { body: "hi bob" } }], { redact: { custom } });
    expect(await readFile(path, "utf8")).not.toContain("bob");
    const { tape } = await open(path, { mode: "replay", redact: { custom } });
    expect((await pass(tape, { url: "https://shop.test/bob" })).response!.text()).toBe("hi somebody");
    await tape.close();
    const wrong = record(folder.file("b.har"), [flow], { redact: { custom: (() => undefined) as never } });
    await expect(wrong).rejects.toThrow("tape.redact.custom returned undefined: a string is expected");
  });
});
