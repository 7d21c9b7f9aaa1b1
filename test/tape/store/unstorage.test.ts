import { describe, expect, test } from "vitest";
import { startProxy } from "../../../src/mod.ts";
import { fileStore, merge, readTape, TapeError, unstorageStore, writeTape } from "../../../src/tape/mod.ts";
import type { TapeOptions } from "../../../src/tape/options.ts";
import { startOrigin } from "../../support/origin.ts";
import { answer, flowOf, open } from "../tapes.ts";
import { STORAGES } from "./stores.ts";

const big = (name: string) => ({
  url: `https://shop.test/${name}`,
  response: { headers: { "content-type": "text/plain" }, body: name.repeat(2000) },
});

describe.each(STORAGES)("a tape in unstorage, driver %s", (_name, start) => {
  test("is recorded and replayed, by proxies of two machines", async () => {
    await using place = await start();
    await using origin = await startOrigin(({ target }) => ({ body: target.repeat(2000) }));
    const tape = (mode: TapeOptions["mode"]) => ({
      path: "fixtures/a.har",
      mode: mode!,
      store: unstorageStore(place.connect(), { prefix: "tapes" }),
    });
    const ask = async (mode: TapeOptions["mode"]) => {
      await using proxy = await startProxy({ tape: tape(mode) });
      const bodies: string[] = [];
      for (const target of ["/1", "/2"]) bodies.push(await (await proxy.fetch(origin.url + target)).text());
      return bodies;
    };
    expect(await ask("record")).toEqual(["/1".repeat(2000), "/2".repeat(2000)]);
    const asked = origin.requests.length;
    expect(await ask("replay")).toEqual(["/1".repeat(2000), "/2".repeat(2000)]);
    expect(origin.requests.length).toBe(asked);

    const keys = (await place.connect().getKeys()).toSorted();
    expect(keys).toHaveLength(3);
    expect(keys[0]).toBe("tapes:fixtures:a.har");
    for (const key of keys.slice(1)) expect(key).toMatch(/^tapes:fixtures:a\.har\.d:[0-9a-f]{16}\.bin$/);
  });

  test("is recorded by several at once: nothing is lost, what is the same is there once", async () => {
    await using place = await start();
    const opened = await Promise.all(
      ["record", "record", "auto", "auto"].map(async (mode) =>
        await open("a.har", { mode: mode as "record", store: unstorageStore(place.connect()) })
      ),
    );
    for (const [i, { tape }] of opened.entries()) {
      tape.record(flowOf(big("shared")));
      tape.record(flowOf(big(`own${i}`)));
    }
    await Promise.all(opened.map(({ tape }) => tape.close()));
    const { entries } = await readTape("a.har", { store: unstorageStore(place.connect()) });
    expect(entries.map(({ url }) => url.slice(18)).toSorted()).toEqual(["own0", "own1", "own2", "own3", "shared"]);
    for (const entry of entries) await entry.response();
    expect((await place.connect().getKeys()).filter((key) => /journal|lock/.test(key))).toEqual([]);
  }, 30_000);

  test("a recording that was broken off is recovered", async () => {
    await using place = await start();
    const store = unstorageStore(place.connect());
    // Everything but the tape can be written.
    const failing = {
      ...store,
      write: (path: string, pieces: Parameters<typeof store.write>[1]) =>
        path === "a.har" ? Promise.reject(new Error("gone")) : store.write(path, pieces),
    };
    const broken = await open("a.har", { mode: "record", store: failing });
    broken.tape.record(flowOf(big("a")));
    broken.tape.record(flowOf(big("b")));
    await expect(broken.tape.close()).rejects.toMatchObject({ code: "TAPE_NOT_WRITTEN" });
    const next = await open("a.har", { mode: "auto", store });
    expect(next.log[0]!.message).toContain("was broken off; the tape has now 2 exchanges of it");
    expect(await answer(next.tape, { url: "https://shop.test/b" })).toBe("b".repeat(2000));
    await next.tape.close();
  });

  test("tapes are written, read and merged", async () => {
    await using place = await start();
    const store = unstorageStore(place.connect());
    for (const name of ["a", "b"]) {
      const { tape } = await open(`${name}.har`, { mode: "record", store });
      tape.record(flowOf(big(name)));
      await tape.close();
    }
    const tapes = await Promise.all(["a.har", "b.har"].map((path) => readTape(path, { store })));
    await writeTape("c.har", merge(tapes), { store });
    expect((await readTape("c.har", { store })).entries.map(String)).toEqual([
      "GET https://shop.test/a",
      "GET https://shop.test/b",
    ]);
    await expect(readTape("d.har", { store })).rejects.toMatchObject({ code: "TAPE_NOT_FOUND" });
  });
});

describe("the keys of paths", () => {
  const recording = () => {
    const seen: string[] = [];
    const storage = {
      hasItem: (key: string) => (seen.push(key), Promise.resolve(false)),
      getItemRaw: () => Promise.resolve(null),
      setItemRaw: () => Promise.resolve(),
      removeItem: () => Promise.resolve(),
      getKeys: () => Promise.resolve([]),
    };
    return { seen, storage };
  };

  test.each([
    ["fixtures/a.har", "fixtures:a.har"],
    ["./fixtures//x/../a.har", "fixtures:a.har"],
    ["/checkout/test/a.har", "test:a.har"],
    ["fixtures\\a.har", "fixtures:a.har"],
    ["what?/a:b.har", "what%3F:a%3Ab.har"],
    ["100%/a$", "100%25:a%24"],
  ])("%s is %s", async (path, key) => {
    const { seen, storage } = recording();
    await unstorageStore(storage, { root: "/checkout" }).read(path);
    expect(seen).toEqual([key]);
  });

  test.each(["../a.har", "/etc/passwd", "a/../../b", "/checkout/../x", "", ".", "/checkout", "a\0b", "..", "..\\a"])(
    "%j is refused",
    async (path) => {
      const { seen, storage } = recording();
      const store = unstorageStore(storage, { root: "/checkout", prefix: "tapes" });
      await expect(store.read(path)).rejects.toThrow(TapeError);
      await expect(store.write(path, [""])).rejects.toMatchObject({ code: "TAPE_PATH" });
      expect(seen).toEqual([]);
    },
  );

  test.each(["../b.har", "..", "a/b", "a\\b", ""])("%j is not the name of a file in a folder", async (name) => {
    const { storage } = recording();
    for (const store of [unstorageStore(storage), fileStore]) {
      await expect(store.remove("a.har.d", [name])).rejects.toMatchObject({ code: "TAPE_PATH" });
    }
  });
});

// With others, a machine that stalls for long may find that another one has it as well.
test.each(STORAGES.filter(([name]) => name === "memory" || name === "redis"))(
  "the lock of a tape in %s is had by one at a time",
  async (_name, start) => {
    await using place = await start();
    let inside = 0;
    const seen: number[] = [];
    await Promise.all(["1", "2", "3", "4"].map(async () => {
      const unlock = await unstorageStore(place.connect()).lock!("a.har");
      seen.push(++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
      await unlock();
    }));
    expect(seen).toEqual([1, 1, 1, 1]);
  },
  30_000,
);
