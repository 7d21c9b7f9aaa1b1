/**
 * Where PAC files run: QuickJS in WebAssembly, of the package `quickjs-wasi`, of which this is the part that is used.
 *
 * A PAC file is a program, often somebody else's. `node:vm` is no wall (one `this.constructor.constructor` leads out of
 * it), and a worker has the rights of the process on two of three runtimes. A WebAssembly instance has none but the
 * functions that are given to it, on all three.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { FlowtapeError } from "../../../../flow/error.ts";

/** A value inside. */
export interface PacHandle {
  toString(): string;
}

/** A machine with nothing in it. */
export interface PacMachine {
  readonly global: PacHandle;
  readonly undefined: PacHandle;
  readonly null: PacHandle;
  newString(text: string): PacHandle;
  newFunction(name: string, call: (...args: PacHandle[]) => PacHandle): PacHandle;
  setProp(object: PacHandle, key: string, value: PacHandle): void;
  getProp(object: PacHandle, key: PacHandle): PacHandle;
  typeof(value: PacHandle): string;
  callFunction(call: PacHandle, self: PacHandle, ...args: PacHandle[]): PacHandle;
  evalCode(source: string, filename: string): PacHandle;
  dispose(): void;
}

/** Limits of a machine. */
export interface PacMachineOptions {
  /** Bytes for everything inside. */
  readonly memoryLimit: number;
  /** Bytes of stack. */
  readonly maxStackSize: number;
  /** Asked again and again; `true` ends what runs. */
  readonly interruptHandler: () => boolean;
}

/** Makes machines. */
export interface PacEngine {
  create(options: PacMachineOptions): Promise<PacMachine>;
}

/** The part of `quickjs-wasi` that is used. */
export interface QuickJsModule {
  readonly QuickJS: {
    create(options: PacMachineOptions & { wasm: WebAssembly.Module; intrinsics: number }): Promise<PacMachine>;
  };
  readonly Intrinsics: Readonly<Record<"DATE" | "EVAL" | "JSON" | "MAP_SET" | "REGEXP", number>>;
}

/** An engine of the module `quickjs-wasi` and its `quickjs.wasm`. */
export async function pacEngine({ QuickJS, Intrinsics }: QuickJsModule, wasm: Uint8Array): Promise<PacEngine> {
  const compiled = await WebAssembly.compile(wasm as Uint8Array<ArrayBuffer>);
  // What PAC files need. What is left out can run long without asking for leave (BigInt) or go round the limit of memory
  // (typed arrays). EVAL is what evalCode() needs.
  const { DATE, EVAL, JSON, MAP_SET, REGEXP } = Intrinsics;
  const intrinsics = DATE | EVAL | JSON | MAP_SET | REGEXP;
  return { create: (options) => QuickJS.create({ ...options, wasm: compiled, intrinsics }) };
}

let loading: Promise<PacEngine> | undefined;

/**
 * The engine of this process, loaded with the first PAC file.
 *
 * @throws {FlowtapeError} `PAC_ENGINE`: the optional package `quickjs-wasi` is not installed, or cannot be loaded
 */
export function loadPacEngine(): Promise<PacEngine> {
  return loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw new FlowtapeError(
      "PAC_ENGINE",
      "PAC files run in quickjs-wasi, which cannot be loaded: npm install --save-dev quickjs-wasi (it is looked for in node_modules)",
      { cause: error },
    );
  });
}

async function load(): Promise<PacEngine> {
  // Not import(): in the CommonJS build that is a require() of this module, and Deno would get the package for everybody.
  const requireHere = createRequire(whereToLook());
  const wasm = await readFile(requireHere.resolve(`${PACKAGE}/quickjs.wasm`));
  return await pacEngine(requireHere(PACKAGE) as QuickJsModule, wasm);
}

/** Beside this package; in the project that uses it, where this file comes from a registry. */
function whereToLook(): string {
  // Spelled out: the CommonJS build replaces these words alone.
  const url = import.meta.url;
  return url.startsWith("file:") ? url : join(process.cwd(), "package.json");
}

const PACKAGE = "quickjs-wasi";
