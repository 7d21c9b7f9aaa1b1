/**
 * Programs in other languages that ask a server through the proxy, with nothing but its environment.
 *
 * @module
 */
import process from "node:process";
import { describe, expect, test } from "vitest";
import { type HttpFlow, respond, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";

/** Nobody's address (RFC 5737): Go and Ruby use no proxy for loopback addresses whatever they are told, and names would be looked up. */
export const NOWHERE = "192.0.2.7";

/** How a program is asked to get a URL and to print the body; files are written beside it. */
export interface Program {
  readonly command: string;
  /** By name: what is in them. */
  readonly files?: Readonly<Record<string, string>>;
  /** @param url to get */
  args(url: string): string[];
  /** Variables of its own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether what it needs is there, besides the command. */
  readonly isThere?: boolean;
  /** Whether it reads a name and a password for the proxy from the URL in its environment. Default: yes. */
  readonly readsCredentials?: boolean;
}

/** Whether to test with a program. One that is missing is told of, and in CI, which installs all of them, its tests fail. */
export function isThere(command: string, more = true): boolean {
  const isInstalled = hasCommand(command) && more;
  if (!isInstalled) {
    console.warn(`${command}${more ? "" : " or what it needs"} is not installed: its tests are skipped`);
  }
  return isInstalled || process.env["CI"] !== undefined;
}

/** Two tests: http and https. */
export function testProgram(name: string, program: Program): void {
  describe.runIf(isThere(program.command, program.isThere))(name, () => {
    test.each(["http", "https"])("%s", { timeout: 90_000 }, async (scheme) => {
      const tls = scheme === "https" ? { tls: true } as const : {};
      await using origin = await startOrigin(({ target }) => ({ body: `you asked for ${target}` }), tls);
      await using proxy = await startProxy({
        upstream: { ca: origin.ca || [], hosts: { [NOWHERE]: `127.0.0.1:${origin.port}` } },
      });
      const url = `${scheme}://${NOWHERE}/a?b=1`;
      const { stdout, stderr, code } = await runProgram(program, url, proxy.env());
      expect([stdout.trim(), code, code === 0 ? "" : stderr]).toEqual(["you asked for /a?b=1", 0, ""]);
      const [flow] = proxy.flows.filter({ host: NOWHERE });
      const { request, response, source } = flow as HttpFlow;
      expect([request.url, response!.status, source]).toEqual([url, 200, "upstream"]);
    });

    test.runIf(program.readsCredentials ?? true)("a name and a password", { timeout: 90_000 }, async () => {
      const auth = { username: "me@home/#?", password: "p:a/s s%@[" };
      await using proxy = await startProxy({ auth, defaultAction: respond({ body: "let in" }) });
      const { stdout, stderr } = await runProgram(program, `https://${NOWHERE}/`, proxy.env());
      expect([stdout.trim(), stdout ? "" : stderr]).toEqual(["let in", ""]);
    });
  });
}

/** Runs it in a folder with its files. */
export async function runProgram(
  { command, files = {}, args, env = {} }: Program,
  url: string,
  variables: Record<string, string>,
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  await using folder = await tempFolder();
  const { writeFile } = await import("node:fs/promises");
  for (const [name, text] of Object.entries(files)) await writeFile(folder.file(name), text);
  return await run(command, args(url), { cwd: folder.path, env: { ...variables, ...env }, timeoutMs: 80_000 });
}
