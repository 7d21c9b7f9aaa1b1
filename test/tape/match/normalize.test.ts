import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { tempFolder } from "../../support/temp.ts";
import { answer, open, pass, record } from "../tapes.ts";

const at = (path: string) => ({ url: `https://shop.test/${path}` });

test("normalize is given copies: what is sent and what is on the tape stay as they are", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [{ ...at("a/1"), response: { body: "found" } }]);
  const { tape } = await open(path, {
    mode: "replay",
    match: { normalize: (request) => void (request.path = "/a") },
  });
  const flow = await pass(tape, at("a/2"));
  expect(flow.response!.text()).toBe("found");
  expect(flow.request.url).toBe("https://shop.test/a/2");
  expect((await tape.unused).length).toBe(0);
  await tape.close();
});

test("normalize sees no credentials, and the live request has them still", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const request = { method: "POST", ...at("login?token=abc"), headers: { authorization: "Bearer abcdefgh" } };
  await record(path, [{ ...request, body: "{}", response: { body: "found" } }]);
  const seen: string[] = [];
  const { tape } = await open(path, {
    mode: "replay",
    match: {
      normalize: (request) =>
        void seen.push(`${request.url} ${request.headers.get("authorization")} ${request.text()}`),
    },
  });
  const flow = await pass(tape, { ...request, body: "{}" });
  expect(flow.response!.text()).toBe("found");
  expect(flow.request.headers.get("authorization")).toBe("Bearer abcdefgh");
  expect(seen).toHaveLength(2);
  expect(seen[0]).toBe(seen[1]);
  expect(seen[0]).not.toContain("abc");
  await tape.close();
});

test.each<[string, () => unknown, string]>([
  ["throws", () => {
    throw new Error("boom");
  }, "tape.match.normalize failed for entry 0 of the tape (GET https://shop.test/): boom"],
  ["is async", () => Promise.reject(new Error("late")), "tape.match.normalize returned a promise for entry 0"],
])("a function that %s for a recorded request: the tape is not opened", async (_what, normalize, message) => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [{ response: {} }]);
  const opening = open(path, { mode: "replay", match: { normalize: normalize as () => void } });
  await expect(opening).rejects.toThrow(message);
  await expect(opening).rejects.toMatchObject({ name: "OptionsError" });
});

test("a function that throws for a live request: the hook fails, and names the request", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [{ ...at("a"), response: {} }]);
  const { tape } = await open(path, {
    mode: "replay",
    match: {
      normalize(request) {
        if (request.path === "/b") throw new Error("boom");
      },
    },
  });
  await expect(pass(tape, at("b"))).rejects.toThrow("normalize failed for GET https://shop.test/b: boom");
  await tape.close();
});

test("identical requests, once normalised, are answered in order, also at once", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const numbers = Array.from({ length: 20 }, (_, i) => i);
  await record(path, numbers.map((i) => ({ ...at(`a/${i}`), response: { body: `${i}` } })));
  const normalize = (request: { path: string }) => void (request.path = "/a");
  const { tape } = await open(path, { mode: "replay", match: { normalize } });
  const answers = await Promise.all(numbers.map((i) => answer(tape, at(`a/${100 - i}`))));
  expect(answers).toEqual(numbers.map(String));
  await tape.close();
});

test('body: { as: "hash" } does not read recorded bodies that are in files', async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const body = (letter: string) => ({ method: "POST", ...at("a"), body: letter.repeat(5000) });
  await record(path, [{ ...body("x"), response: { body: "found" } }, { ...body("y"), response: { body: "other" } }]);
  const { tape } = await open(path, { mode: "replay", match: { body: { as: "hash" } } });
  await rm(`${path}.d`, { recursive: true });
  expect(await answer(tape, body("y"))).toBe("other");
  expect(await answer(tape, body("x"))).toBe("found");
  await tape.close();
});
