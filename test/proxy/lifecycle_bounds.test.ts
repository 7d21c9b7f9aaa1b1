// The hooks of a proxy's life may do what they like, but not for ever, and none at the expense of others.
import { describe, expect, test } from "vitest";
import { type Addon, HookError, startProxy } from "../../src/mod.ts";
import { connectRaw } from "../support/raw_client.ts";
import { leftOpen, openResources } from "./resources.ts";

const never = () => new Promise<void>(() => {});
const timeouts = { hooks: 30 };

describe("a hook that never ends", () => {
  test.each(["configure", "start"] as const)("%s: startProxy() gives up, and leaves nothing open", async (hook) => {
    const before = openResources();
    const seen: string[] = [];
    const addons: Addon[] = [{ name: "endless", [hook]: never }, { name: "other", done: () => void seen.push("done") }];
    await expect(startProxy({ timeouts, addons })).rejects.toMatchObject({
      name: "HookError",
      code: "HOOK_TIMEOUT",
      message: `hook ${hook} of addon "endless" had not ended after 30 ms (timeouts.hooks)`,
    });
    expect(seen).toEqual(["done"]);
    expect(await leftOpen(before)).toEqual({});
  });

  test.each(["configure", "start"] as const)("%s: the signal ends the waiting", async (hook) => {
    const abort = new AbortController();
    const addon: Addon = {
      [hook]: () => {
        setTimeout(() => abort.abort(new Error("enough")), 1);
        return never();
      },
    };
    const before = openResources();
    await expect(startProxy({ addons: [addon], signal: abort.signal })).rejects.toThrow("enough");
    expect(await leftOpen(before)).toEqual({});
  });

  test("done: close() goes on without it, calls the others, and says so", async () => {
    const seen: string[] = [];
    const proxy = await startProxy({
      timeouts,
      addons: [
        { name: "endless", done: never },
        {
          name: "bad",
          done: () => {
            throw new Error("cannot");
          },
        },
        {
          name: "slow",
          done: async () => void seen.push(await new Promise((resolve) => setTimeout(resolve, 5, "slow"))),
        },
      ],
    });
    const { port } = proxy;
    const error = await proxy.close().catch((thrown: unknown) => thrown) as HookError;
    expect(error).toBeInstanceOf(HookError);
    expect(error.message).toContain('hook done of addon "endless" had not ended after 30 ms (timeouts.hooks)');
    expect(error.message).toContain('hook done of addon "bad" threw: cannot');
    expect(seen).toEqual(["slow"]);
    await expect(connectRaw(port)).rejects.toThrow();
  });

  test("tick: the others go on ticking", async () => {
    const seen: string[] = [];
    await using _proxy = await startProxy({
      addons: [
        { tick: () => (seen.push("endless"), never()) },
        { tick: () => void seen.push("other") },
      ],
    });
    await expect.poll(() => seen.filter((it) => it === "other").length).toBeGreaterThan(1);
    expect(seen.filter((it) => it === "endless")).toHaveLength(1);
  });
});

test("an addon that takes the place of another is told of the options, and does not start", async () => {
  const seen: string[] = [];
  const second: Addon = {
    name: "second",
    configure: (_, updated) => void seen.push(`second ${updated.has("port")}`),
    start: () => void seen.push("start of the second"),
    done: () => void seen.push("done of the second"),
  };
  const first: Addon = {
    configure: () => void seen.push("first"),
    start: () => second,
    done: () => void seen.push("done of the first"),
  };
  {
    await using proxy = await startProxy({ addons: [first] });
    await proxy.configure({ verbose: 0 });
  }
  expect(seen).toEqual(["first", "second true", "second false", "done of the second"]);
});

test("an addon in whose place another refuses the options ends the start", async () => {
  const second: Addon = {
    name: "second",
    configure: () => {
      throw new Error("not me");
    },
  };
  await expect(startProxy({ addons: [{ start: () => second }] })).rejects.toThrow(
    'hook configure of addon "second" threw: not me',
  );
});

test("options of the hook timeout are checked", async () => {
  await expect(startProxy({ timeouts: { hooks: 0 } })).rejects.toThrow("option timeouts.hooks is 0");
});
