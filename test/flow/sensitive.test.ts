import { describe, expect, test } from "vitest";
import { isSensitiveName, redactJson, redactText, redactUrl } from "../../src/flow/sensitive.ts";
import { suggest } from "../../src/flow/suggest.ts";

describe("names that may hold a credential", () => {
  test.each([
    "Authorization",
    "proxy-authorization",
    "Cookie",
    "Set-Cookie",
    "X-Api-Key",
    "apiKey",
    "api_key",
    "token",
    "access_token",
    "refreshToken",
    "x-auth-token",
    "X-Amz-Security-Token",
    "client_secret",
    "secret_key",
    "password",
    "passwordConfirmation",
    "passwd",
    "pwd",
    "x-csrf-token",
    "credentials",
    "private_key",
    "X-Amz-Signature",
    "sessionId",
    "X-Session",
    "X-Auth",
    "user[token]",
    "token2",
    "X-Hub-Signature-256",
    "Ocp-Apim-Subscription-Key",
    "passcode",
    "client_assertion",
    "SAMLResponse",
  ])("%s", (name) => expect(isSensitiveName(name)).toBe(true));

  test.each(["max_tokens", "tokens", "tokenizer", "author", "authority", "page", "key", "accept", "cookies_accepted"])(
    "%s is none",
    (name) => expect(isSensitiveName(name)).toBe(false),
  );
});

describe("redaction", () => {
  test.each([
    ["http://a.test/?a=1&token=x&b=2#c", "http://a.test/?a=1&token=[redacted]&b=2#c"],
    ["/x?api%5Fkey=x&%=y", "/x?api%5Fkey=[redacted]&%=y"],
    ["https://me:pw@a.test/x@y", "https://[redacted]@a.test/x@y"],
    ["/x", "/x"],
    ["/verify/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "/verify/[redacted]"],
  ])("of URL %s", (url, expected) => expect(redactUrl(url)).toBe(expected));

  test.each([
    ['{"password":"a\\"b","n":1}', '{"password":[redacted],"n":1}'],
    ["a=1&password=x&b=2", "a=1&password=[redacted]&b=2"],
    ["Authorization: Basic abc\nAccept: x", "Authorization: [redacted]\nAccept: x"],
    ["Cookie: a=1; b=2\nX: y", "Cookie: [redacted]\nX: y"],
    ["Cookie: token=1; b=2", "Cookie: [redacted]"],
    ['{"cookie":"a=1; b=2","n":1}', '{"cookie":[redacted],"n":1}'],
    ["use Bearer abcdefghi please", "use Bearer [redacted] please"],
    ["nearest: password=hunter2 a=b", "nearest: password=[redacted] a=b"],
    ['{"token":["a","b"],"n":{"secret":{"a":1}}}', '{"token":[redacted],"n":{"secret":[redacted]}}'],
    ['{"token":"cut off', '{"token":[redacted]'],
    ["the tokens: 7", "the tokens: 7"],
    ["see https://me:pw@a.test/x", "see https://[redacted]@a.test/x"],
    ["user%5Bpassword%5D=x&b=2", "user%5Bpassword%5D=[redacted]&b=2"],
    ['{"query":"login(password: \\"x\\")"}', '{"query":"login(password: [redacted])"}'],
    ['{"body":"{\\"token\\":\\"x\\"}"}', '{"body":"{\\"token\\":[redacted]}"}'],
    ["at /eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "at /[redacted]"],
  ])("of text %s", (text, expected) => expect(redactText(text)).toBe(expected));

  test("of text is quick", () => {
    const start = performance.now();
    redactText("a".repeat(2_000_000));
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("of JSON leaves flags", () => {
    expect(redactJson({ password: "x", token: null, secret: false, list: [{ apiKey: 7, name: "n" }] })).toEqual({
      password: "[redacted]",
      token: null,
      secret: false,
      list: [{ apiKey: "[redacted]", name: "n" }],
    });
  });
});

describe("suggestions", () => {
  test.each([
    ["metod", "method"],
    ["HEADER", "headers"],
    ["pth", "path"],
    ["http", "HTTP"],
    ["banana", undefined],
    ["", undefined],
  ])("%s: %s", (word, expected) => {
    expect(suggest(word, ["method", "headers", "path", "HTTP"])).toBe(expected);
  });
});
