// The table of commands.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT, EXIT_CODES } from "../../src/cli/exit_codes.ts";
import { parse } from "../../src/cli/parse.ts";
import { commandNamed, COMMANDS, optionsOf } from "../../src/cli/table.ts";
import { VERSION } from "../../src/cli/version.ts";
import { flowtape, within } from "./cli.ts";

test("the version is that of the package", async () => {
  const packed = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(VERSION).toBe(packed.version);
  expect(await flowtape(["--version"])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: "" });
  expect((await within(["-V"])).stdout).toBe(`${VERSION}\n`);
});

test.each(COMMANDS)("$name: every option is one of its own, and every command can be loaded", async (command) => {
  const names = optionsOf(command).flatMap(({ name, short }) => [name, ...(short === undefined ? [] : [short])]);
  expect(new Set(names).size).toBe(names.length);
  for (const { kind, value, choices } of command.options) {
    if (kind === "choice") expect(choices!.length).toBeGreaterThan(1);
    else if (kind !== "flag" && kind !== "count") expect(value).toMatch(/\S/);
  }
  expect(command.examples.length).toBeGreaterThan(0);
  expect(typeof (await command.load()).run).toBe("function");
});

test.each(COMMANDS)("$name: its examples are command lines that it takes", (command) => {
  for (const [line] of command.examples) {
    if (!line.startsWith("flowtape ")) continue;
    const words = line.replace(/ [>|].*$/, "").match(/'[^']*'|\S+/g)!.map((word) => word.replace(/^'|'$/g, ""));
    const target = commandNamed(words[1]!)!;
    expect(() => parse(target, words.slice(2)), line).not.toThrow();
  }
});

test("every exit code is explained", () => {
  const explained = EXIT_CODES.map(([code]) => code);
  for (const code of Object.values(EXIT)) expect(explained).toContain(String(code));
});

test("the command to run begins behind --, or with the first word that is no option", () => {
  const record = commandNamed("record")!;
  const programOf = (line: string) => parse(record, line.split(" ")).program.join(" ");
  expect(programOf("-- npm test")).toBe("npm test");
  expect(programOf("npm test")).toBe("npm test");
  expect(programOf("--tape a.har -q npm run x -- --watch")).toBe("npm run x -- --watch");
  expect(programOf("--tape=a.har -- npm run x -- --watch")).toBe("npm run x -- --watch");
  expect(programOf("-qv -- curl --json {} -v")).toBe("curl --json {} -v");
  expect(programOf("-- --strange")).toBe("--strange");
  expect(programOf("-- a.har")).toBe("a.har");
  expect(parse(record, ["-vv", "-v", "--", "x"]).count("verbose")).toBe(3);
});
