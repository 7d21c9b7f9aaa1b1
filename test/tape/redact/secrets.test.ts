import { describe, expect, test } from "vitest";
import { generator, written, writtenHeader, writtenUrl } from "./carriers.ts";

const of = generator(4711);
const base64 = (text: string) => Buffer.from(text).toString("base64url");
const jwt = `${base64('{"alg":"HS256","typ":"JWT"}')}.${base64('{"sub":"1234567890","iat":1516239022}')}.${
  of("url64", 43)
}`;
const pem = (kind: string) =>
  `-----BEGIN ${kind}PRIVATE KEY-----\n${of("base64", 64)}\n${of("base64", 64)}\n${
    of("base64", 40)
  }==\n-----END ${kind}PRIVATE KEY-----`;

/** Known by their shape, wherever they stand. */
const shapes: Record<string, string> = {
  "JWT": jwt,
  "JWE": `${base64('{"alg":"dir","enc":"A256GCM"}')}..${of("url64", 16)}.${of("url64", 60)}.${of("url64", 22)}`.replace(
    "..",
    `.${of("url64", 20)}.`,
  ),
  "AWS access key": `AKIA${of("base32", 16)}`,
  "AWS temporary key": `ASIA${of("base32", 16)}`,
  "AWS Bedrock": `ABSK${of("base62", 120)}`,
  "Google API key": `AIza${of("url64", 34)}a`,
  "Google access token": `ya29.${of("url64", 100)}`,
  "Google client secret": `GOCSPX-${of("url64", 28)}`,
  "Google refresh token": `1//0${of("url64", 60)}`,
  "Azure client secret": `${of("base62", 3)}8Q~${of("base62", 34)}`,
  "DigitalOcean": `dop_v1_${of("hex", 64)}`,
  "Heroku": `HRKU-AA${of("base62", 58)}`,
  "Fly": `fo1_${of("base62", 43)}`,
  "Alibaba": `LTAI${of("base62", 20)}`,
  "Vault": `hvs.${of("base62", 90)}`,
  "Terraform": `${of("base62", 14)}.atlasv1.${of("base62", 67)}`,
  "Databricks": `dapi${of("hex", 32)}`,
  "Pulumi": `pul-${of("hex", 40)}`,
  "Doppler": `dp.pt.${of("base62", 43)}`,
  "PlanetScale": `pscale_tkn_${of("base62", 43)}`,
  "Supabase": `sbp_${of("hex", 40)}`,
  "GitHub": `ghp_${of("base62", 36)}`,
  "GitHub OAuth": `gho_${of("base62", 36)}`,
  "GitHub app": `ghs_${of("base62", 36)}`,
  "GitHub refresh": `ghr_${of("base62", 36)}`,
  "GitHub fine-grained": `github_pat_${of("base62", 22)}_${of("base62", 59)}`,
  "GitLab": `glpat-${of("base62", 20)}`,
  "GitLab deploy": `gldt-${of("base62", 20)}`,
  "GitLab runner": `glrt-${of("base62", 20)}`,
  "GitLab job": `glcbt-64_${of("base62", 20)}`,
  "Bitbucket": `ATBB${of("base62", 32)}`,
  "Atlassian": `ATATT3${of("base62", 180)}`,
  "npm": `npm_${of("base62", 36)}`,
  "PyPI": `pypi-AgEIcHlwaS5vcmc${of("url64", 80)}`,
  "RubyGems": `rubygems_${of("hex", 48)}`,
  "NuGet": `oy2${of("base36", 43)}`,
  "crates.io": `cio${of("base62", 32)}`,
  "Docker Hub": `dckr_pat_${of("url64", 26)}a`,
  "Stripe": `sk_live_${of("base62", 24)}`,
  "Stripe test": `sk_test_${of("base62", 99)}`,
  "Stripe restricted": `rk_live_${of("base62", 24)}`,
  "Stripe webhook": `whsec_${of("base62", 32)}`,
  "Square": `sq0atp-${of("url64", 21)}a`,
  "Square OAuth": `sq0csp-${of("url64", 42)}a`,
  "Square new": `EAAA${of("base62", 60)}`,
  "PayPal Braintree": `access_token$production$${of("base36", 16)}$${of("hex", 32)}`,
  "PayPal": `A21AA${of("base62", 80)}`,
  "Mollie": `live_${of("base62", 30)}`,
  "Shopify": `shpat_${of("hex", 32)}`,
  "Slack bot": `xoxb-${of("digits", 12)}-${of("digits", 12)}-${of("base62", 24)}`,
  "Slack user": `xoxp-${of("digits", 12)}-${of("digits", 12)}-${of("digits", 12)}-${of("hex", 32)}`,
  "Slack app": `xapp-1-${of("upper36", 11)}-${of("digits", 13)}-${of("hex", 64)}`,
  "Slack configuration": `xoxe.xoxp-1-${of("base62", 160)}`,
  "Discord": `MT${of("base62", 22)}.${of("base62", 6)}.${of("base62", 38)}`,
  "Telegram": `${of("digits", 9)}1:AA${of("base62", 33)}`,
  "Twilio": `SK${of("hex", 32)}`,
  "SendGrid": `SG.${of("base62", 22)}.${of("base62", 43)}`,
  "Mailgun": `key-${of("hex", 32)}`,
  "Mailchimp": `${of("hex", 32)}-us12`,
  "Brevo": `xkeysib-${of("hex", 64)}-${of("base62", 16)}`,
  "Facebook": `EAAB${of("base62", 120)}`,
  "OpenAI": `sk-proj-${of("base62", 100)}`,
  "OpenAI old": `sk-${of("base62", 48)}`,
  "Anthropic": `sk-ant-api03-${of("url64", 92)}a`,
  "Groq": `gsk_${of("base62", 52)}`,
  "Hugging Face": `hf_${of("base62", 34)}`,
  "Grafana": `glsa_${of("base62", 32)}_${of("hex", 8)}`,
  "Sentry": `sntryu_${of("hex", 64)}`,
  "New Relic": `NRAK-${of("upper36", 27)}`,
  "Linear": `lin_api_${of("base62", 40)}`,
  "Notion": `ntn_${of("digits", 11)}${of("base62", 35)}`,
  "Airtable": `pat${of("base62", 14)}.${of("hex", 64)}`,
  "Postman": `PMAK-${of("hex", 24)}-${of("hex", 34)}`,
  "Figma": `figd_${of("url64", 42)}a`,
  "Dropbox": `sl.${of("base62", 130)}`,
  "Contentful": `CFPAT-${of("base62", 43)}`,
  "1Password": `A3-${of("upper36", 6)}-${of("upper36", 6)}-${of("upper36", 5)}-${of("upper36", 5)}-${
    of("upper36", 5)
  }-${of("upper36", 5)}`,
  "age": `AGE-SECRET-KEY-1${of("upper36", 58)}`,
  "RSA key": pem("RSA "),
  "EC key": pem("EC "),
  "PKCS 8 key": pem(""),
  "OpenSSH key": pem("OPENSSH "),
};

const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
const carriers: Record<string, (secret: string) => string | undefined> = {
  JSON: (secret) => written(JSON.stringify({ items: [{ value: secret, n: 1 }] }), "application/json"),
  "text in JSON": (secret) => written(JSON.stringify({ message: `your key is ${secret}.` }), "application/json"),
  text: (secret) => written(`use ${secret} from now on\n`, "text/plain"),
  HTML: (secret) => written(`<!doctype html><p class="a">Copy <code>${secret}</code></p>`, "text/html"),
  XML: (secret) => written(`<r><v a="1">${secret}</v></r>`, "application/xml"),
  program: (secret) => written(`const a=1;init({v:"${escaped(secret)}",b:2})`, "text/javascript"),
  CSV: (secret) => written(`id,value\n1,${escaped(secret)}\n`, "text/csv"),
  YAML: (secret) => written(`a:\n  value: ${escaped(secret)}\n`, "application/yaml"),
  events: (secret) => written(`event: x\ndata: {"value":${JSON.stringify(secret)}}\n\n`, "text/event-stream"),
  form: (secret) => written(`a=1&v=${secret}`, "application/x-www-form-urlencoded"),
  multipart: (secret) =>
    written(
      `--b\r\nContent-Disposition: form-data; name="v"\r\n\r\n${secret}\r\n--b--`,
      "multipart/form-data; boundary=b",
    ),
  binary: (secret) => written(`\0\0\x01${secret}\0\x02`, "application/x-protobuf"),
  message: (secret) => written(secret, ""),
  URL: (secret) => writtenUrl(`https://shop.test/a?v=${secret.replaceAll("\n", "%0A")}`),
  path: (secret) => writtenUrl(`https://shop.test/a/${secret.replaceAll("\n", "%0A")}/b`),
  header: (secret) => writtenHeader("x-info", secret.replaceAll("\n", " ")),
};

describe("known by its shape", () => {
  test.each(Object.entries(shapes))("%s", (_name, secret) => {
    const line = secret.split("\n")[1] ?? secret;
    const leaks = Object.entries(carriers).filter(([, carry]) => carry(secret)?.includes(line)).map(([name]) => name);
    // The lines of a private key are no longer lines there, and it has no quotes to end it.
    expect(leaks.filter((name) => !secret.includes("PRIVATE") || !["URL", "path"].includes(name))).toEqual([]);
  });
});

const random = of("base62", 40);
const hex = of("hex", 32);
const json = (value: unknown) => written(JSON.stringify(value), "application/json");

/** Known by the name under which it stands, or by its look; each with what must not be left. */
const places: [name: string, secret: string, write: (secret: string) => string | undefined][] = [
  ["password in JSON", "hunter2", (s) => json({ password: s })],
  ["password in JSON, deep", "swordfish", (s) => json({ a: [{ user: { passWord: s } }] })],
  ["password in a list", "swordfish", (s) => json({ passwords: [s] })],
  ["password in JSON in JSON", "swordfish", (s) => json({ body: JSON.stringify({ password: s }) })],
  [
    "password in GraphQL variables",
    "swordfish",
    (s) => json({ query: "mutation($p:String!){login(p:$p)}", variables: { password: s } }),
  ],
  ["password in a GraphQL query", "swordfish", (s) => json({ query: `mutation { login(password: "${s}") { id } }` })],
  ["password in a form", "swordfish", (s) => written(`user=bob&password=${s}`, "application/x-www-form-urlencoded")],
  ["password in a form without a type", "swordfish", (s) => written(`user=bob&password=${s}`, "")],
  [
    "password in multipart",
    "swordfish",
    (s) =>
      written(
        `--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n${s}\r\n--b--`,
        "multipart/form-data; boundary=b",
      ),
  ],
  ["password in an element", "swordfish", (s) => written(`<login><Password>${s}</Password></login>`, "text/xml")],
  [
    "password in SOAP",
    "swordfish",
    (s) => written(`<wsse:Password Type="x#PasswordText">${s}</wsse:Password>`, "application/soap+xml"),
  ],
  [
    "password in a field of a page",
    "swordfish",
    (s) => written(`<form><input type="password" name="p" value="${s}"></form>`, "text/html"),
  ],
  ["password in an attribute", "swordf1sh", (s) => written(`<db user="sa" password="${s}"/>`, "application/xml")],
  ["password in text", "hunter2!", (s) => written(`user: bob\npassword: ${s}\n`, "text/plain")],
  ["password in YAML", "hunter2!", (s) => written(`db:\n  password: "${s}"\n`, "application/yaml")],
  ["password in UTF-16", "swordfish", (s) => utf16({ password: s }, "le")],
  ["password in UTF-16, big end first", "swordfish", (s) => utf16({ password: s }, "be")],
  ["password in cut off JSON", "swordfish", (s) => written(`{"password":"${s}`, "application/json")],
  ["password as a number", "482913", (s) => json({ passcode: Number(s) })],
  ["password of a database", "sw0rdfish", (s) => json({ url: `postgres://app:${s}@db.test:5432/app` })],
  ["password in a URL", "swordfish", (s) => writtenUrl(`https://bob:${s}@shop.test/`)],
  ["password in a URL in text", "swordfish", (s) => written(`see https://bob:${s}@shop.test/`, "text/plain")],
  ["environment file", random, (s) => written(`A=1\nSHOP_SECRET=${s}\n`, "text/plain")],
  ["?key=", hex, (s) => writtenUrl(`https://maps.test/api?key=${s}&q=1`)],
  ["?code=", of("url64", 22) + "4a", (s) => writtenUrl(`https://app.test/cb?code=${s}&state=x`)],
  [
    "?code= in Location",
    of("url64", 22) + "4a",
    (s) => writtenHeader("location", `https://app.test/cb?code=${s}&state=x`),
  ],
  ["?api_key=", "abc", (s) => writtenUrl(`https://maps.test/api?api_key=${s}&q=1`)],
  ["?sig= of Azure", `${of("base62", 43)}%3D`, (s) => writtenUrl(`https://a.blob.core.windows.net/c?sv=2022&sig=${s}`)],
  [
    "X-Amz-Signature",
    of("hex", 64),
    (s) => writtenUrl(`https://b.s3.amazonaws.com/k?X-Amz-Signature=${s}&X-Amz-Expires=60`),
  ],
  ["fragment", random, (s) => writtenUrl(`https://app.test/cb#access_token=${s}&token_type=bearer`)],
  [
    "URL in a URL",
    random,
    (s) => writtenUrl(`https://app.test/go?to=${encodeURIComponent(`https://b.test/?token=${s}`)}`),
  ],
  ["reset link", random, (s) => writtenUrl(`https://app.test/reset-password/${s}`)],
  ["reset link in a mail", random, (s) => written(`Go to https://app.test/reset?token=${s}`, "text/plain")],
  ["link in a page", random, (s) => written(`<a href="/x?a=1&amp;token=${s}">`, "text/html")],
  ["CSRF field", random, (s) => written(`<input type="hidden" name="csrf_token" value="${s}">`, "text/html")],
  ["CSRF field, value first", random, (s) => written(`<input value='${s}' name='authenticity_token'/>`, "text/html")],
  ["CSRF meta", random, (s) => written(`<meta name="csrf-token" content="${s}" />`, "text/html")],
  [
    "token in a page's state",
    random,
    (s) => written(`<script>window.__S={"user":1,"accessToken":"${s}"}</script>`, "text/html"),
  ],
  ["token in a program", random, (s) => written(`var a={apiKey:"${s}"};`, "application/javascript")],
  ["token in a data attribute", random, (s) => written(`<div data-auth-token="${s}"></div>`, "text/html")],
  ["AWS secret in XML", of("base64", 40), (s) => written(`<C><SecretAccessKey>${s}</SecretAccessKey></C>`, "text/xml")],
  ["AWS secret in JSON", of("base64", 40), (s) => json({ SecretAccessKey: s })],
  ["AWS secret in an INI file", of("base62", 40), (s) => written(`aws_secret_access_key = ${s}\n`, "text/plain")],
  [
    "Azure connection string",
    `${of("base64", 86)}==`,
    (s) => json({ c: `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${s};E=x` }),
  ],
  ["Azure function key", of("url64", 52) + "Az4", (s) => writtenHeader("x-functions-key", s)],
  [
    "Slack webhook",
    `T${of("upper36", 8)}/B${of("upper36", 8)}/${of("base62", 24)}`,
    (s) => writtenUrl(`https://hooks.slack.com/services/${s}`),
  ],
  [
    "Discord webhook",
    of("url64", 67) + "a",
    (s) => writtenUrl(`https://discord.com/api/webhooks/${of("digits", 18)}/${s}`),
  ],
  [
    "Telegram in a path",
    `${of("digits", 9)}1:AA${of("base62", 33)}`,
    (s) => writtenUrl(`https://api.telegram.org/bot${s}/getMe`),
  ],
  ["Bearer", hex, (s) => writtenHeader("authorization", `Bearer ${s}`)],
  ["Basic", Buffer.from("bob:swordfish").toString("base64"), (s) => writtenHeader("proxy-authorization", `Basic ${s}`)],
  ["Bearer in a log", hex, (s) => written(`curl -H "Authorization: Bearer ${s}" https://a.test`, "text/plain")],
  ["cookie", "abc", (s) => writtenHeader("cookie", `a=${s}`)],
  ["set-cookie", "abc", (s) => writtenHeader("set-cookie", `a=${s}; Path=/`)],
  ["X-Api-Key", "abc", (s) => writtenHeader("X-Api-Key", s)],
  ["X-Vault-Token", "abc", (s) => writtenHeader("X-Vault-Token", s)],
  ["header of no known name", random, (s) => writtenHeader("x-tenant", s)],
  ["JSON of no known name", random, (s) => json({ value: s })],
  ["JSON of a suspicious name", of("base62", 24), (s) => json({ writeKeyV1: s, authz: s })],
  ["query of no known name", random, (s) => writtenUrl(`https://a.test/?v=${s}`)],
  ["form of no known name", random, (s) => written(`v=${s}&b=1`, "application/x-www-form-urlencoded")],
  ["a body that is nothing else", random, (s) => written(`${s}\n`, "text/plain")],
  ["card", "4111111111111111", (s) => json({ cardNumber: s, cvc: "123" })],
  [
    "client secret in a form",
    random,
    (s) => written(`client_id=a&client_secret=${s}`, "application/x-www-form-urlencoded"),
  ],
  ["PKCE verifier", of("url64", 43), (s) => written(`code_verifier=${s}`, "application/x-www-form-urlencoded")],
  ["OAuth tokens", random, (s) => json({ access_token: s, refresh_token: s, id_token: s, expires_in: 3600 })],
  [
    "SAML",
    of("base64", 400),
    (s) => written(`SAMLResponse=${encodeURIComponent(s)}`, "application/x-www-form-urlencoded"),
  ],
  ["event", random, (s) => written(`data: {"session_token":"${s}"}\n\n`, "text/event-stream")],
  ["lines of JSON", random, (s) => written(`{"a":1}\n{"token":"${s}"}\n`, "application/x-ndjson")],
];

test.each(places)("%s", (_name, secret, write) => {
  expect(write(secret) ?? "").not.toContain(secret);
  expect(decodeURIComponent((write(secret) ?? "").replaceAll("%", "%25").replaceAll("%25", "%"))).not.toContain(secret);
});

test("there are more than a hundred of them", () => {
  expect(Object.keys(shapes).length + places.length).toBeGreaterThan(140);
});

function utf16(value: unknown, order: "le" | "be"): string | undefined {
  const bytes = Buffer.from(`\ufeff${JSON.stringify(value)}`, "utf16le");
  if (order === "be") bytes.swap16();
  return written(bytes, "application/json")?.replaceAll("\0", "");
}
