/**
 * A small project in a folder of its own, on which a test runner is let loose in a child process.
 *
 * @module
 */
import { globSync } from "node:fs";
import { mkdir, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, type RunResult } from "../support/run.ts";
import { tempFolder } from "../support/temp.ts";

/** The checkout. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** A module of flowtape, as a string literal for an import. */
export const source = (path: string): string => JSON.stringify(join(root, "src", path));

/** What was run, and what is there now. */
export interface Project extends AsyncDisposable {
  readonly folder: string;
  /** Runs a program in it, as if not on a CI server. Its output is without colours, both streams in one. */
  run(command: string, args: string[], env?: Record<string, string | undefined>): Promise<Run>;
  /** The tapes, seen from the folder of tapes, without their extension. */
  tapes(): string[];
  /** The reports, seen from the folder of reports, without their extension. */
  reports(): string[];
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
}

/** How a run has ended. */
export interface Run extends RunResult {
  readonly output: string;
}

/** Makes a project of these files; packages are those of the checkout. */
export async function makeProject(files: Readonly<Record<string, string>>): Promise<Project> {
  const temp = await tempFolder();
  const folder = await realpath(temp.path);
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  await symlink(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  await write("package.json", JSON.stringify({ name: "project", private: true, type: "module" }));
  for (const [path, text] of Object.entries(files)) await write(path, text);
  const list = (name: string, extension: string) =>
    globSync(`**/${name}/**/*.${extension}`, { cwd: folder, exclude: (path) => `${path}`.includes("node_modules") })
      .map((path) => path.replaceAll("\\", "/").replace(`${name}/`, "").slice(0, -extension.length - 1)).sort();
  return {
    folder,
    run: async (command, args, env = {}) => {
      const result = await run(command, args, {
        cwd: folder,
        env: {
          CI: "",
          NO_COLOR: "1",
          FORCE_COLOR: undefined,
          FLOWTAPE_MODE: undefined,
          NODE_OPTIONS: undefined,
          ...env,
        },
        timeoutMs: 180_000,
      });
      return { ...result, output: result.stdout + result.stderr };
    },
    tapes: () => list("__tapes__", "har"),
    reports: () => list("flowtape-report", "html"),
    read: (path) => readFile(join(folder, path), "utf8"),
    write,
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}
