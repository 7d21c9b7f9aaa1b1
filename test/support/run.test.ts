import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { startOrigin } from "./origin.ts";
import { fetchIn, run } from "./run.ts";
import { hasCommand, runtimePath, RUNTIMES } from "./runtime.ts";
import { tempFolder } from "./temp.ts";

const node = runtimePath("node");

test("a child process is run to its end", async () => {
  const script =
    "process.stdin.pipe(process.stdout); console.error(process.env.GREETING, process.env.HOME); process.exitCode = 3";
  const result = await run(node, ["-e", script], { input: "in\n", env: { GREETING: "hello", HOME: undefined } });
  expect(result).toEqual({ code: 3, stdout: "in\n", stderr: "hello undefined\n" });
});

test("a child process that hangs is killed", async () => {
  const hanging = run("sh", ["-c", "echo still here; exec sleep 60"], { timeoutMs: 1500 });
  await expect(hanging).rejects.toThrow(/killed after 1500 ms\s+still here/);
});

test("a program that does not exist rejects", async () => {
  await expect(run("no-such-program")).rejects.toThrow();
  expect(hasCommand("no-such-program")).toBe(false);
  expect(hasCommand("node")).toBe(true);
});

test.each(RUNTIMES)("%s fetches in a child process", async (runtime) => {
  await using origin = await startOrigin(() => ({
    status: 418,
    reason: "Teapot",
    headers: [["X-A", "b"]],
    body: "tea",
  }));
  const response = await fetchIn(runtime, `${origin.url}/${runtime}`);
  expect(response).toMatchObject({ status: 418, headers: { "x-a": "b" }, body: "tea" });
  expect(origin.requests[0]!.target).toBe(`/${runtime}`);
});

test("a temporary folder is gone in the end", async () => {
  let path: string;
  {
    await using folder = await tempFolder();
    path = folder.path;
    await writeFile(folder.file("a.txt"), "a");
  }
  expect(existsSync(path)).toBe(false);
});
