// Completions, as the shells themselves carry them out.
import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { COMMANDS, SHELLS } from "../../src/cli/table.ts";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { type TempFolder, tempFolder } from "../support/temp.ts";
import { LONG_MS, start, within } from "./cli.ts";

for (const shell of SHELLS) {
  if (!hasCommand(shell)) console.warn(`${shell} is not installed: its completions are not tested`);
}

async function withScript(shell: string): Promise<TempFolder> {
  const folder = await tempFolder();
  await writeFile(folder.file("completions"), (await within(["completions", shell])).stdout);
  await writeFile(folder.file("my tape.har"), "");
  return folder;
}

const NAMES = COMMANDS.map(({ name }) => name);

/** What is typed, and what is offered then. */
const CASES: [line: string, some: string[], none: string[]][] = [
  ["flowtape ", NAMES, []],
  ["flowtape re", ["record", "replay"], ["run"]],
  ["flowtape replay --un", ["--unused"], ["--tape"]],
  ["flowtape replay --unused ", ["ignore", "warn", "fail"], ["--tape"]],
  ["flowtape replay --unused f", ["fail"], ["warn"]],
  ["flowtape completions ", ["bash", "zsh", "fish"], []],
  ["flowtape help sc", ["scan"], ["stats"]],
  ["flowtape run --mode re", ["replay", "record"], ["auto"]],
];

describe.runIf(hasCommand("bash"))("bash", () => {
  /** As readline does it: words, which of them the cursor is in, and the function. */
  async function complete(folder: TempFolder, line: string): Promise<string[]> {
    const words = line.replaceAll("=", " = ").replace(/= $/, "=").split(" ").filter((word, i, all) =>
      word !== "" || i === all.length - 1
    );
    const script = `source ./completions
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${words.length - 1}
_flowtape && printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = await run("bash", ["--norc", "-c", script], { cwd: folder.path });
    expect(stderr).toBe("");
    return stdout.split("\n").filter((word) => word !== "");
  }

  test.each(CASES)("%s", async (line, some, none) => {
    await using folder = await withScript("bash");
    const offered = await complete(folder, line);
    expect(offered).toEqual(expect.arrayContaining(some));
    for (const word of none) expect(offered).not.toContain(word);
  });

  test("--name=value; the command behind --; files by an empty answer", async () => {
    await using folder = await withScript("bash");
    expect(await complete(folder, "flowtape run --mode=rep")).toEqual(["replay"]);
    expect(await complete(folder, "flowtape replay --unused=")).toEqual(["ignore", "warn", "fail"]);
    expect(await complete(folder, "flowtape record -- pytho")).toEqual(
      expect.arrayContaining([expect.stringMatching(/^python/)]),
    );
    expect(await complete(folder, "flowtape record --tape my")).toEqual([]);
    expect(await complete(folder, "flowtape record ")).toEqual(["--"]);
    const { stdout } = await run("bash", ["--norc", "-c", "source ./completions; complete -p flowtape"], {
      cwd: folder.path,
    });
    expect(stdout).toBe("complete -o default -F _flowtape flowtape\n");
  });
});

describe.runIf(hasCommand("fish"))("fish", () => {
  async function complete(folder: TempFolder, line: string): Promise<string[]> {
    const script = "source ./completions; complete -C $argv[1]";
    // Its own folders, so that nothing of whoever runs the tests is in the way.
    const env = { HOME: folder.path, XDG_CONFIG_HOME: folder.path, XDG_DATA_HOME: folder.path };
    const { stdout, stderr } = await run("fish", ["--no-config", "-c", script, line], {
      cwd: folder.path,
      env,
      timeoutMs: 60_000,
    });
    expect(stderr).toBe("");
    return stdout.split("\n").map((row) => row.split("\t")[0]!).filter((word) => word !== "");
  }

  test.each(CASES)("%s", async (line, some, none) => {
    await using folder = await withScript("fish");
    const offered = await complete(folder, line);
    expect(offered).toEqual(expect.arrayContaining(some));
    for (const word of none) expect(offered).not.toContain(word);
  }, LONG_MS);

  test("files, and the command behind --", async () => {
    await using folder = await withScript("fish");
    expect(await complete(folder, "flowtape record --tape my")).toEqual(["my tape.har"]);
    expect(await complete(folder, "flowtape record -- bas")).toContain("bash");
    expect(await complete(folder, "flowtape record my")).toEqual([]);
  }, LONG_MS);
});

describe.runIf(hasCommand("zsh") && hasCommand("python3"))("zsh", () => {
  // Zsh completes only for somebody who sits at a terminal.
  test("commands, options, values, files and the command behind --", async () => {
    await using folder = await withScript("zsh");
    const env = { HOME: folder.path, ZDOTDIR: folder.path, PTY_ECHO: "1", TERM: "dumb" };
    await using zsh = start(["zsh", "-f", "-i"], { terminal: true, cwd: folder.path, env });
    zsh.type("bindkey -e; PS1='> '; autoload -Uz compinit; compinit -u -D; source ./completions; echo read''y\n");
    await zsh.said(/ready\n/);
    /** Types a line and the tab key, then has the line said. */
    const complete = async (line: string): Promise<string> => {
      zsh.type(`${line}\t`);
      await zsh.said(new RegExp(`${line.slice(-3)}`));
      // Ctrl-A, and the line as words that are printed.
      zsh.type("\x01print -r -- '<' \x05'>'\n");
      const said = await zsh.said(/^< (.*) ?>$/m);
      return /^< (.*?) *>$/m.exec(said)![1]!;
    };
    expect(await complete("flowtape comp")).toBe("flowtape completions");
    expect(await complete("flowtape replay --unu")).toBe("flowtape replay --unused");
    expect(await complete("flowtape replay --unused fa")).toBe("flowtape replay --unused fail");
    expect(await complete("flowtape record --tape my")).toBe("flowtape record --tape my tape.har");
    expect(await complete("flowtape run --mode pass")).toBe("flowtape run --mode passthrough");
    zsh.type("exit\n");
    await zsh.over;
  }, LONG_MS);
});
