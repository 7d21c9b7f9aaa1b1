// Clients that make up new values in every run, against recordings of earlier ones.
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ProxyOptions, startProxy, UnmatchedRequestError } from "../../../src/mod.ts";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import { type Fetch, fillIn, order, signIn, startShop } from "./shop.ts";

let folder: TempFolder;
let path: string;
let base: string;

beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("shop.har");
});

afterEach(() => folder[Symbol.asyncDispose]());

/** Records what a client does; its server is gone afterwards. */
async function recorded<T>(client: (fetch: Fetch, base: string) => Promise<T>): Promise<T> {
  await using shop = await startShop();
  await using proxy = await startProxy({ tape: { path, mode: "record" } });
  base = shop.url;
  return await client((url, init) => proxy.fetch(url, init), base);
}

async function replayed<T>(
  client: (fetch: Fetch, base: string) => Promise<T>,
  options: Partial<ProxyOptions> = {},
): Promise<T> {
  await using proxy = await startProxy({ tape: { path, mode: "replay" }, ...options });
  return await client((url, init) => proxy.fetch(url, init), base);
}

test("signing in with OAuth: state, nonce and code challenge are new in every run", async () => {
  const first = await recorded(signIn);
  const tape = await readFile(path, "utf8");
  expect(tape).not.toContain(first.location.searchParams.get("code"));
  for (let run = 0; run < 3; run++) {
    const { name, state, location } = await replayed(signIn);
    expect(name).toBe("ann");
    expect(state).not.toBe(first.state);
    expect(location.searchParams.get("state")).toBe(state);
  }
});

test("a form with a token against forgery, and a cookie", async () => {
  const fill: typeof fillIn = (fetch, base) => fillIn(fetch, base, "everything");
  const first = await recorded((fetch, base) => fill(fetch, base, ""));
  expect(first).toBe("200 <p>Thank you for everything</p>");
  expect(await replayed((fetch, base) => fill(fetch, base, ""))).toBe(first);
});

test("numbers that the client draws by lot are those of this run in every answer", async () => {
  const first = await recorded(order);
  const second = await replayed(order);
  expect(second.id).not.toBe(first.id);
  expect(second.answer).toMatchObject({ id: second.id, what: "shoes", number: first.answer["number"] });
  expect(second.seen).toEqual({ id: second.id, what: "shoes", number: first.answer["number"] });
});

test("several of them, one after the other and at once, each with its own numbers", async () => {
  const twice = async (fetch: Fetch, base: string) => [await order(fetch, base), await order(fetch, base)] as const;
  const first = await recorded(twice);
  for (
    const made of [
      await replayed(twice),
      await replayed((fetch, base) => Promise.all([order(fetch, base), order(fetch, base)])),
    ]
  ) {
    for (const { id, answer, seen } of made) expect([answer["id"], seen["id"]]).toEqual([id, id]);
    expect(new Set(made.map(({ answer }) => answer["number"]))).toEqual(
      new Set(first.map(({ answer }) => answer["number"])),
    );
  }
});

test("afterLast counts: one that comes once more has the last answer, with its own numbers, or none", async () => {
  await recorded(order);
  const twice = async (fetch: Fetch, base: string) => [await order(fetch, base), await order(fetch, base)] as const;
  const [a, b] = await replayed(twice);
  expect([a.seen["id"], b.seen["id"]]).toEqual([a.id, b.id]);
  const strict = { tape: { path, mode: "replay", afterLast: "error" } } as const;
  await expect(replayed(async (fetch, base) => await twice(fetch, base).catch(() => undefined), strict))
    .rejects.toThrow(UnmatchedRequestError);
});

test("what rules made of an answer comes back in a later request", async () => {
  const look = async (fetch: Fetch, base: string) => {
    const { answer } = await order(fetch, base);
    const seen = await fetch(`${base}/orders/${answer["number"]}`);
    return { number: answer["number"]!, status: seen.status, text: await seen.text() };
  };
  const first = await recorded(look);
  const { number, status, text } = await replayed(look, {
    addons: [{
      response(flow) {
        if (flow.request.method === "POST" && flow.response !== undefined) {
          flow.response.body = JSON.stringify({ ...(flow.response.json() as object), number: "ORDER-2024-00017" });
        }
      },
    }],
  });
  expect(number).toBe("ORDER-2024-00017");
  expect([status, JSON.parse(text).number]).toEqual([200, "ORDER-2024-00017"]);
  expect(first.number).not.toBe(number);
});

test("match: { correlate: false } takes requests as they are", async () => {
  await recorded(order);
  const off = { tape: { path, mode: "replay", match: { correlate: false } } } as const;
  await expect(replayed(async (fetch, base) => await order(fetch, base).catch(() => undefined), off))
    .rejects.toThrow("Nothing on the tape");
});

test("a number that was read in a program is not another one", async () => {
  const look = (id: string) => async (fetch: Fetch, base: string) => await (await fetch(`${base}/orders/${id}`)).text();
  await recorded(async (fetch, base) => {
    const { answer } = await order(fetch, base);
    return await look(answer["number"]!)(fetch, base);
  });
  const other = replayed(look("3f2b8c1e-5a4d-4e6f-8a9b-0c1d2e3f4a5b"));
  await expect(other).rejects.toThrow("Nothing on the tape");
});

test("where nothing matches, the explanation says which values are bound, and none of them whole", async () => {
  await recorded(order);
  let id = "";
  const error = await replayed(async (fetch, base) => {
    ({ id } = await order(fetch, base));
    await (await fetch(`${base}/elsewhere`)).text();
  }).catch((error: Error) => error) as Error;
  expect(error.message).toContain("Values of the recording, and what they are in this run:");
  expect(error.message).toContain(`is ${id.slice(0, 4)}... (36 characters)`);
  expect(error.message).not.toContain(id);
});
