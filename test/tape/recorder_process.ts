/**
 * A process that records: `recorder_process.ts '<json of Work>'`. It says its id, then what it has been answered.
 *
 * @module
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { startProxy } from "../../src/mod.ts";
import type { TapeMode } from "../../src/tape/options.ts";
import { fileStore } from "../../src/tape/store/file_store.ts";
import type { TapeStore } from "../../src/tape/store/tape_store.ts";

export interface Work {
  path: string;
  mode: TapeMode;
  origin: string;
  targets: string[];
  /** Ends itself in the middle of this step of the store, from 1. */
  dieAt?: number;
  /** Waits for a line on its standard input before it closes the proxy. */
  waits?: boolean;
}

const work = JSON.parse(process.argv.at(-1)!) as Work;

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

let steps = 0;

function step(): boolean {
  return ++steps === work.dieAt;
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // Until the signal has come.
  for (;;);
}

/** Each step is begun, and in the chosen one the process dies with half of it done. */
const dying: TapeStore = {
  ...fileStore,
  async write(path, pieces, options) {
    const last = step();
    await fileStore.write(path, last ? half(pieces) : pieces, options);
    if (step()) die();
  },
  now: {
    read: (path) => fileStore.now.read(path),
    write(path, bytes) {
      if (step()) die();
      fileStore.now.write(path, bytes);
      if (step()) die();
    },
  },
  async append(path) {
    if (step()) die();
    const file = await fileStore.append(path);
    return {
      append(text) {
        if (step()) {
          file.append(text.slice(0, text.length / 2));
          die();
        }
        file.append(text);
        if (step()) die();
      },
      read: (position, length) => file.read(position, length),
      close: () => file.close(),
    };
  },
  async lock(path) {
    const unlock = await fileStore.lock(path);
    if (step()) die();
    return unlock;
  },
  async remove(folder, names) {
    const last = step();
    await fileStore.remove(folder, last ? names.slice(0, names.length / 2) : names);
    if (last) die();
  },
};

async function* half(pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>) {
  for await (const piece of pieces) {
    yield piece.slice(0, piece.length / 2);
    die();
  }
}

say(`pid ${process.pid}`);
const proxy = await startProxy({ tape: { path: work.path, mode: work.mode, store: dying } });
for (const target of work.targets) {
  const response = await proxy.fetch(`${work.origin}${target}`);
  await response.text();
  say(`done ${target}`);
}
if (work.waits) {
  say("waiting");
  await new Promise((resolve) => process.stdin.once("data", resolve));
}
await proxy.close();
say(`closed ${steps}`);
process.exit(0);
