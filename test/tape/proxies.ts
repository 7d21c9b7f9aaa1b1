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

/** Sets variables of this process until it is disposed of. The tests of mode "auto" run on CI servers too. */
export function withEnv(changes: Record<string, string | undefined>): Disposable {
  const all: Record<string, string | undefined> = {
    CI: undefined,
    FLOWTAPE_MODE: undefined,
    FLOWTAPE_USAGE: undefined,
    ...changes,
  };
  const before = Object.keys(all).map((name) => [name, process.env[name]] as const);
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(all)) set(name, value);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) set(name, value);
    },
  };
}
