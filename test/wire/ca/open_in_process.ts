/** Run by tests in a process of its own: opens the authority in a folder (or in memory) and says what it got. */
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import process from "node:process";
import { openCa } from "../../../src/wire/ca/mod.ts";

const loaded = (): boolean => Object.keys(createRequire(import.meta.url).cache).some((file) => /node-forge/.test(file));
const loadedOnImport = loaded();
const [dir] = process.argv.slice(2);
const ca = await openCa(dir === undefined ? undefined : { dir });
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
console.log(JSON.stringify({
  cert: ca.cert,
  path: ca.path,
  pid: process.pid,
  exists: existsSync(ca.path),
  folderMode: modeOf(dirname(ca.path)),
  leaf: ca.leaf("a.example.test").cert,
  loaded: [loadedOnImport, loaded()],
}));
