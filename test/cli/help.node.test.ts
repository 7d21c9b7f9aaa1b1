// What help says about each command, word by word.
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/table.ts";
import { within } from "./cli.ts";

test("flowtape help", async () => {
  const { code, stdout } = await within(["help"]);
  expect(code).toBe(0);
  await expect(stdout).toMatchFileSnapshot("help/flowtape.txt");
  expect((await within(["--help"])).stdout).toBe(stdout);
  expect((await within(["-h"])).stdout).toBe(stdout);
});

test.each(COMMANDS.map(({ name }) => name))("flowtape help %s", async (name) => {
  const { code, stdout, stderr } = await within(["help", name]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  await expect(stdout).toMatchFileSnapshot(`help/${name}.txt`);
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(140);
});

test.each(COMMANDS.map(({ name }) => name))(
  "flowtape %s --help says the same, whatever else is there",
  async (name) => {
    const { stdout } = await within(["help", name]);
    expect(await within([name, "--help"])).toEqual({ code: 0, stdout, stderr: "" });
    expect((await within([name, "--nonsense", "-h"])).stdout).toBe(stdout);
  },
);
