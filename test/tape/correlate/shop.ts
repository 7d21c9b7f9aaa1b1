/**
 * A server that signs people in (OAuth 2 with PKCE, as OpenID Connect has it) and sells things, with new random values for everybody;
 * and a client for it that makes up new ones in every run.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { type Origin, type OriginRequest, type OriginResponse, startOrigin } from "../../support/origin.ts";

const random = () => randomBytes(24).toString("base64url");
const json = (value: unknown, headers: [string, string][] = []): OriginResponse => ({
  headers: [["content-type", "application/json"], ...headers],
  body: JSON.stringify(value),
});
const s256 = (verifier: string) => createHash("sha256").update(verifier).digest("base64url");
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Starts the server. */
export function startShop(): Promise<Origin> {
  const codes = new Map<string, { challenge: string; nonce: string }>();
  const tokens = new Map<string, string>();
  const csrf = new Map<string, string>();
  const orders = new Map<string, unknown>();

  return startOrigin((request: OriginRequest): OriginResponse => {
    const url = new URL(request.target, "http://shop.test");
    const { pathname, searchParams: query } = url;
    const form = new URLSearchParams(request.text());
    const sid = /sid=([^;]+)/.exec(request.header("cookie") ?? "")?.[1] ?? "";
    switch (`${request.method} ${pathname.replace(/\/orders\/.*/, "/orders/:id")}`) {
      case "GET /authorize": {
        const code = random();
        codes.set(code, { challenge: query.get("code_challenge")!, nonce: query.get("nonce")! });
        const to = new URL(query.get("redirect_uri")!);
        to.searchParams.set("code", code);
        to.searchParams.set("state", query.get("state")!);
        return { status: 302, reason: "Found", headers: [["location", to.href]] };
      }
      case "POST /token": {
        const grant = codes.get(form.get("code")!);
        if (grant === undefined || s256(form.get("code_verifier")!) !== grant.challenge) {
          return { ...json({ error: "invalid_grant" }), status: 400, reason: "Bad Request" };
        }
        const accessToken = random();
        tokens.set(accessToken, form.get("username") ?? "ann");
        const idToken = `${part({ alg: "HS256" })}.${part({ sub: "ann", nonce: grant.nonce })}.${random()}`;
        return json({ access_token: accessToken, id_token: idToken, token_type: "Bearer", expires_in: 3600 });
      }
      case "GET /me": {
        const name = tokens.get((request.header("authorization") ?? "").replace("Bearer ", ""));
        return name === undefined ? { status: 401, reason: "Unauthorized" } : json({ name });
      }
      case "GET /form": {
        const session = random();
        const token = random();
        csrf.set(session, token);
        return {
          headers: [["content-type", "text/html"], ["set-cookie", `sid=${session}; Path=/; HttpOnly`]],
          body:
            `<form method="post"><input type="hidden" name="csrf_token" value="${token}"><input name="note"></form>`,
        };
      }
      case "POST /form":
        if (form.get("csrf_token") !== csrf.get(sid)) return { status: 403, reason: "Forbidden", body: "forged" };
        return { headers: [["content-type", "text/html"]], body: `<p>Thank you for ${form.get("note")}</p>` };
      case "POST /orders": {
        const order = JSON.parse(request.text());
        const stored = { ...order, number: randomUUID() };
        orders.set(order.id, stored);
        orders.set(stored.number, stored);
        return json({ ...stored, idempotency: request.header("idempotency-key") }, [[
          "location",
          `/orders/${order.id}`,
        ]]);
      }
      case "GET /orders/:id": {
        const order = orders.get(decodeURIComponent(pathname.slice("/orders/".length)));
        return order === undefined ? { status: 404, reason: "Not Found", body: "no such order" } : json(order);
      }
    }
    return { status: 404, reason: "Not Found", body: "no such page" };
  });
}

/** What a client uses: `proxy.fetch`. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Signs in as a real client does: with state, nonce and PKCE of its own, all of which it checks. */
export async function signIn(fetch: Fetch, base: string): Promise<{ name: string; state: string; location: URL }> {
  const state = random();
  const verifier = random() + random();
  const authorize = new URL("/authorize", base);
  authorize.search = new URLSearchParams({
    response_type: "code",
    client_id: "shop",
    redirect_uri: "https://app.test/callback",
    scope: "openid",
    state,
    nonce: random(),
    code_challenge: s256(verifier),
    code_challenge_method: "S256",
  }).toString();
  const redirect = await fetch(authorize.href, { redirect: "manual" });
  if (redirect.status !== 302) throw new Error(`${redirect.status} ${await redirect.text()}`);
  await redirect.body?.cancel();
  const location = new URL(redirect.headers.get("location")!);
  if (location.searchParams.get("state") !== state) throw new Error("the state is another one");
  const answer = await fetch(`${base}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: location.searchParams.get("code")!,
      redirect_uri: "https://app.test/callback",
      code_verifier: verifier,
    }),
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  const { access_token: token } = await answer.json();
  const me = await fetch(`${base}/me`, { headers: { authorization: `Bearer ${token}` } });
  return { name: (await me.json()).name, state, location };
}

/** Fills in a form as a browser does: with the token of the page, and its cookie. */
export async function fillIn(fetch: Fetch, base: string, note: string): Promise<string> {
  const page = await fetch(`${base}/form`);
  const token = /name="csrf_token" value="([^"]*)"/.exec(await page.text())![1]!;
  const cookie = page.headers.get("set-cookie")!.split(";")[0]!;
  const answer = await fetch(`${base}/form`, {
    method: "POST",
    headers: { cookie },
    body: new URLSearchParams({ csrf_token: token, note }),
  });
  return `${answer.status} ${await answer.text()}`;
}

/** Orders something under a number of its own making, and looks at it. */
export async function order(
  fetch: Fetch,
  base: string,
): Promise<{ id: string; answer: Record<string, string>; seen: Record<string, string> }> {
  const id = randomUUID();
  const key = randomUUID();
  const made = await fetch(`${base}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({ id, what: "shoes" }),
  });
  if (made.status !== 200) throw new Error(`${made.status} ${await made.text()}`);
  const answer = await made.json();
  if (answer.idempotency !== key) throw new Error("the answer is to another request");
  const seen = await fetch(base + made.headers.get("location"));
  if (seen.status !== 200) throw new Error(`${seen.status} ${await seen.text()}`);
  return { id, answer, seen: await seen.json() };
}
