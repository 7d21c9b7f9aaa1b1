/**
 * `flowtape replay`: runs a program and answers it from a tape.
 *
 * @module
 */
import { access } from "node:fs/promises";
import { TapeError } from "../../flow/error.ts";
import { bodyFolder } from "../../tape/har.ts";
import type { TapeOptions } from "../../tape/options.ts";
import { runSession, tapePath } from "../child/session.ts";
import type { Given } from "../given.ts";
import type { Terminal } from "../terminal.ts";

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  const unused = given.text("unused") as TapeOptions["unused"];
  return await runSession(given, terminal, {
    tape: {
      ...(given.text("tape") === undefined ? {} : { path: given.text("tape")! }),
      mode: "replay",
      ...(unused === undefined ? {} : { unused }),
      ...latency(given),
    },
    defaultTape: "flowtape.har",
    check: async (options) => await mustBeThere(tapePath(options)!, given),
    discardOnFailure: ({ exitCode }) => exitCode !== 0,
  });
}

/** Without a tape every request would match nothing. */
async function mustBeThere(path: string, { program }: Given): Promise<void> {
  // A recording that was broken off may have left nothing but the folder beside the tape.
  await access(path).catch(() => access(bodyFolder(path))).catch((cause) => {
    const how = `record it with flowtape record --tape ${path} -- ${program[0]}`;
    throw new TapeError("TAPE_NOT_FOUND", `there is no tape ${path}: ${how}, or correct the path`, { cause });
  });
}

function latency(given: Given): Pick<TapeOptions, "latency"> {
  const text = given.text("latency");
  if (text === undefined) return {};
  if (text === "none" || text === "recorded") return { latency: text };
  if (!/^\d+(?:\.\d+)?$/.test(text)) {
    throw given.wrong(
      `flowtape replay: --latency takes none, recorded or a factor such as 0.5, not ${JSON.stringify(text)}`,
    );
  }
  return { latency: Number(text) };
}
