/**
 * Opens a text in the editor of whoever sits at the terminal.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { EXIT } from "../exit_codes.ts";
import { CliError } from "../failure.ts";
import type { Terminal } from "../terminal.ts";

/**
 * The text as the editor has left it. It lies in a folder that nobody else can enter, for as long as the editor runs.
 *
 * @throws {CliError} there is no such editor, or it has failed
 */
export async function editText(text: string, { env }: Terminal): Promise<string> {
  const editor = env["VISUAL"] || env["EDITOR"] || (process.platform === "win32" ? "notepad" : "vi");
  const folder = await mkdtemp(join(tmpdir(), "flowtape-edit-"));
  try {
    const file = join(folder, "message.http");
    await writeFile(file, text, { mode: 0o600 });
    const code = await runEditor(editor, file);
    if (code !== 0) {
      throw new CliError(
        EXIT.unavailable,
        `${editor} ended with ${code}: nothing has changed. EDITOR names another one`,
      );
    }
    return await readFile(file, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What EDITOR holds is a line for a shell: `code --wait`. */
function runEditor(editor: string, file: string): Promise<number> {
  const child = process.platform === "win32"
    ? spawn(`${editor} "${file}"`, { stdio: "inherit", shell: true })
    : spawn("sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
