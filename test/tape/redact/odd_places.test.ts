// Secrets where nobody looks for them: nothing of them may be on the tape, in whatever coding.
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { tempFolder } from "../../support/temp.ts";
import { answer, type FlowInit, open, record } from "../tapes.ts";

const SECRET = "Zx9Kq2Lm7Rt4Vw8Yb3Nc";
const TOKEN = `ghp_${"a1B2c3D4e5F6".repeat(3)}`;
const BASIC = `Basic ${Buffer.from(`ann:${SECRET}`).toString("base64")}`;
const encoded = [...TOKEN].map((char) => `%${char.charCodeAt(0).toString(16)}`).join("");
const nested = [`https://c.test/?token=${SECRET}`, "https://b.test/?next=", "https://a.test/?next="]
  .reduce((url, outer) => outer + encodeURIComponent(url));
const said = (type: string, body: string): FlowInit => ({ method: "POST", headers: { "content-type": type }, body });
const json = (value: unknown) => said("application/json", typeof value === "string" ? value : JSON.stringify(value));

const PLACES: Record<string, FlowInit> = {
  "a part of a path, percent-encoded": { url: `https://a.test/x/${TOKEN.replace("_", "%5F")}/y` },
  "a parameter, percent-encoded whole": { url: `https://a.test/?q=${encoded}` },
  "the name of a parameter, percent-encoded": { url: `https://a.test/?access%5Ftoken=${SECRET}` },
  "a URL within a URL within a URL": { url: nested },
  "the fragment of a redirect": {
    response: { status: 302, headers: { location: `https://a.test/cb#id_token=${SECRET}` } },
  },
  "Basic in a header": { headers: { authorization: BASIC } },
  "Basic in a member of any name": json({ value: BASIC }),
  "Basic in a command": said("text/plain", `curl -H 'Authorization: ${BASIC}' https://x`),
  "a cookie with attributes, quoted": {
    response: { headers: { "set-cookie": `sid="${SECRET}"; Path=/; HttpOnly; SameSite=Lax` } },
  },
  "a cookie within JSON": { response: { json: { "Set-Cookie": [`sid=${SECRET}; Path=/`] } } },
  "a name in JSON with escapes": json(`{"pass\\u0077ord":"${SECRET}"}`),
  "a token in JSON with escapes": json(`{"x":"\\u0067hp_${TOKEN.slice(4)}"}`),
  "JSON in JSON in JSON": json({ a: JSON.stringify({ b: JSON.stringify({ password: SECRET }) }) }),
  "JSON in base64": json({ data: Buffer.from(JSON.stringify({ password: SECRET })).toString("base64") }),
  "a token in JSON in base64url": json({ data: Buffer.from(JSON.stringify({ x: TOKEN })).toString("base64url") }),
  "a field of multipart, and JSON in another": said(
    'multipart/form-data; boundary="X Y"',
    `--X Y\r\ncontent-disposition: form-data; name=password\r\n\r\n${SECRET}\r\n--X Y\r\nContent-Disposition: form-data; ` +
      `name="f"; filename="a"\r\nContent-Type: application/json\r\n\r\n{"api_key":"${SECRET}"}\r\n--X Y--\r\n`,
  ),
  "CDATA": said("text/xml", `<l><password><![CDATA[${SECRET}]]></password></l>`),
  "an element with a namespace": said("text/xml", `<l><wsse:Password Type="x">${SECRET}</wsse:Password></l>`),
  "YAML": said("application/yaml", `user: ann\npassword: ${SECRET}\n`),
  "the text of a GraphQL mutation": json({ query: `mutation { login(user: "a", password: "${SECRET}") { id } }` }),
  "the address of a database": json({ dsn: `postgres://app:${SECRET}@db.test:5432/x` }),
  "a protocol of a WebSocket": { headers: { "sec-websocket-protocol": `graphql-ws, bearer, ${SECRET}` } },
  "a protocol of a WebSocket, as Kubernetes has it": {
    headers: {
      "sec-websocket-protocol": `base64url.bearer.authorization.k8s.io.${Buffer.from(TOKEN).toString("base64url")}`,
    },
  },
};

/** Whatever can be read in it: as it is, percent-decoded, with escapes undone, out of base64. */
function readings(text: string): string[] {
  const undone = (from: string) => {
    try {
      return decodeURIComponent(from.replace(/%(?![\da-f]{2})/gi, "%25"));
    } catch {
      return from;
    }
  };
  const thrice = undone(undone(undone(text)));
  const plain = text.replace(/\\+u([\da-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  const decoded = Array.from(text.matchAll(/[\w+/-]{20,}/g), ([it]) => Buffer.from(it, "base64").toString("latin1"));
  return [text, thrice, plain, ...decoded];
}

describe("a secret in", () => {
  test.each(Object.entries(PLACES))("%s", async (_, { response, ...flow }) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [{ url: "https://a.test/", ...flow, response: response ?? { body: "x" } }]);
    const text = await readFile(path, "utf8");
    expect(readings(text)[1]).toContain("[redacted:");
    for (const reading of readings(text)) {
      for (const secret of [SECRET, TOKEN, TOKEN.slice(4)]) expect(reading).not.toContain(secret);
    }
  });
});

test("URLs within URLs: any other secret there is the same request", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [{ url: nested, response: { body: "found" } }]);
  const { tape } = await open(path, { mode: "replay" });
  expect(await answer(tape, { url: nested.replace(SECRET, "Another1Secret2Of3Mine") })).toBe("found");
  await tape.close();
});

test("what only looks like it stays: addresses, base64 and escapes without secrets", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const data = Buffer.from(JSON.stringify({ user: "ann", page: 2 })).toString("base64");
  const flows: FlowInit[] = [
    {
      url: `https://a.test/caf%C3%A9/x%20y?next=${encodeURIComponent("https://b.test/?page=2&q=a%20b")}`,
      response: {},
    },
    {
      url: "https://a.test/j",
      ...json(`{"data":"${data}","x":"\\u00e9t\\u00e9 in the south of France"}`),
      response: {},
    },
    {
      url: "https://a.test/x",
      ...said("text/xml", "<a><title><![CDATA[Tokens and passwords]]></title></a>"),
      response: {},
    },
    {
      url: "https://a.test/w",
      headers: { "sec-websocket-protocol": "graphql-transport-ws, graphql-ws" },
      response: {},
    },
  ];
  await record(path, flows);
  const text = await readFile(path, "utf8");
  expect(text).not.toContain("[redacted");
  expect(text).toContain("caf%C3%A9/x%20y?next=https%3A%2F%2Fb.test%2F%3Fpage%3D2%26q%3Da%2520b");
  expect(text).toContain("\\\\u00e9t");
});
