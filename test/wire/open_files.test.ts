// A process that may open no more files: its proxy goes on when clients have left.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { connectRaw } from "../support/raw_client.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { runtime, runtimePath } from "../support/runtime.ts";
import { exchange, PATIENTLY, requestTo } from "./http1_client.ts";

// Deno accepts nobody any more once it could not, or aborts: a bare server on its node:net too.
test.skipIf(runtime === "deno")(
  "more clients than files: they wait or are turned away, and then all is well",
  async () => {
    await using proxy = await startProxyWithFiles(64);
    const ask = () =>
      exchange(proxy.port, requestTo("http://shop.test/")).then(({ text }) => text, () => "turned away");
    expect(await ask()).toBe("ok");

    const crowd: RawConnection[] = [];
    try {
      // The first ones may be reset already while the last ones come.
      for (let i = 0; i < 150; i++) crowd.push(await connectRaw(proxy.port));
      await Promise.all(crowd.map((client) => client.write("GET /").catch(() => {})));
    } finally {
      for (const client of crowd) await client[Symbol.asyncDispose]();
    }

    await expect.poll(ask, PATIENTLY).toBe("ok");
    expect(await Promise.all(Array.from({ length: 10 }, ask))).toEqual(Array(10).fill("ok"));
    expect(await proxy.end()).toBe("0 errors got away");
  },
);

/** A proxy in a process of its own that may have so many files open. */
async function startProxyWithFiles(files: number) {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const script = fileURLToPath(new URL("open_files_in_process.ts", import.meta.url));
  const child = spawn("sh", ["-c", `ulimit -n ${files} && exec "$0" "$1"`, runtimePath(runtime), script], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  return {
    port: Number(await next()),
    end() {
      child.stdin.end();
      return next();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
