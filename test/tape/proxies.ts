/**
 * Proxies with tapes and an origin behind them, for the tests of modes and upkeep.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import type { Proxy } from "../../src/mod.ts";
import type { HarEntry } from "../../src/tape/har.ts";

/** Status and body of an answer. */
export async function ask(proxy: Proxy, url: string, init?: RequestInit): Promise<string> {
  const response = await proxy.fetch(url, init);
  return `${response.status} ${await response.text()}`;
}

/** What is on a tape: method, path and answer of each entry. */
export async function entriesOf(path: string): Promise<string[]> {
  const { log } = JSON.parse(await readFile(path, "utf8")) as { log: { entries: HarEntry[] } };
  return log.entries.map(({ request, response }) =>
    `${request.method} ${new URL(request.url).pathname} ${response.content.text ?? response.content._file}`
  );
}

/**
 * Takes the variables away that decide about modes, until it is disposed of. The tests of mode "auto" run on CI servers too. They are
 * never set: where tests run in threads, they are those of all.
 */
export function withoutEnv(): Disposable {
  const before = ["CI", "FLOWTAPE_MODE", "FLOWTAPE_USAGE"].map((name) => [name, process.env[name]] as const);
  for (const [name] of before) delete process.env[name];
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) if (value !== undefined) process.env[name] = value;
    },
  };
}
