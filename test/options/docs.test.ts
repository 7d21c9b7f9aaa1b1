// The table of options in the guide has every option, and none that there is not.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkProxyOptions, OPTION_NAMES } from "../../src/options/check_options.ts";

const GROUPS = ["https", "upstream", "capture", "timeouts", "limits"];

/** The members of a group, as the message for one that is not known lists them. */
function membersOf(group: string): string[] {
  try {
    checkProxyOptions({ [group]: { "": 1 } }, "");
  } catch (error) {
    return /\(([\w, ]+) are accepted\)/.exec((error as Error).message)![1]!.split(", ");
  }
  throw new Error(`${group} is no group`);
}

const page = readFileSync(join(import.meta.dirname!, "../../docs/options.md"), "utf8");
const rows = page.split("\n").filter((line) => line.startsWith("| `"));

/** The names of a row: `https.ca`; of a group in a row of its own, `{ connect, head }`, each of them. */
const documented = rows.flatMap((row) => {
  const [, names = "", , text = ""] = row.split(/(?<!\\)\|/);
  const found = [...names.matchAll(/`([\w.]+)`/g)].map(([, name]) => name!);
  const [group] = found;
  if (!GROUPS.includes(group!)) return found;
  return /\{ ([\w, ]+) \}/.exec(text)![1]!.split(", ").map((member) => `${group}.${member}`);
});

test("every option is in the guide, once", () => {
  const all = OPTION_NAMES.flatMap((name) =>
    GROUPS.includes(name) ? membersOf(name).map((it) => `${name}.${it}`) : [name]
  );
  expect([...documented].sort()).toEqual([...all].sort());
});
