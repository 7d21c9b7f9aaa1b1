// git clones over http and https, from files that a plain server has.
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpFlow, startProxy } from "../../src/mod.ts";
import { type OriginHandler, startOrigin } from "../support/origin.ts";
import { run } from "../support/run.ts";
import { type TempFolder, tempFolder } from "../support/temp.ts";
import { isThere, NOWHERE } from "./children.ts";

let folder: TempFolder;
const own = () => ({ HOME: folder.path, GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" });

async function git(args: string[], env: Record<string, string> = {}): Promise<void> {
  const { code, stderr } = await run("git", args, { cwd: folder.path, env: { ...own(), ...env }, timeoutMs: 60_000 });
  if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}: ${stderr}`);
}

beforeAll(async () => {
  folder = await tempFolder();
  if (!isThere("git")) return;
  await git(["init", "--quiet", "work"]);
  const author = ["-c", "user.name=a", "-c", "user.email=a@a.test", "-c", "commit.gpgsign=false"];
  await git(["-C", "work", ...author, "commit", "--quiet", "--allow-empty", "-m", "the first one"]);
  await git(["clone", "--quiet", "--bare", "work", "bare"]);
  await git(["-C", "bare", "update-server-info"]);
});
afterAll(() => folder[Symbol.asyncDispose]());

const serve: OriginHandler = async ({ target }) => {
  const path = target.split("?")[0]!.replace(/^\//, "").split("/");
  try {
    return { body: new Uint8Array(await readFile(folder.file("bare", ...path))) };
  } catch {
    return { status: 404, body: "" };
  }
};

describe.runIf(isThere("git"))("git", () => {
  test.each(["http", "https"])("%s", { timeout: 90_000 }, async (scheme) => {
    await using origin = await startOrigin(serve, scheme === "https" ? { tls: true } : {});
    const hosts = { [NOWHERE]: `127.0.0.1:${origin.port}` };
    await using proxy = await startProxy({ upstream: { ca: origin.ca || [], hosts } });
    await git(["clone", "--quiet", `${scheme}://${NOWHERE}/`, scheme], proxy.env());
    const { stdout } = await run("git", ["-C", scheme, "log", "--format=%s"], { cwd: folder.path, env: own() });
    expect(stdout).toBe("the first one\n");
    expect((proxy.flows.first() as HttpFlow).request.url).toBe(
      `${scheme}://${NOWHERE}/info/refs?service=git-upload-pack`,
    );
  });
});
