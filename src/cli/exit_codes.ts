/**
 * What the exit codes of flowtape mean. Those of `sysexits.h` where there is one; none is a code that test runners use.
 *
 * @module
 */
import { constants } from "node:os";

/** The exit codes of flowtape itself. Those of a command that it runs are that command's. */
export const EXIT = {
  ok: 0,
  found: 1,
  usage: 2,
  data: 65,
  noInput: 66,
  unavailable: 69,
  internal: 70,
  notWritten: 73,
  told: 76,
  config: 78,
  notExecutable: 126,
  notFound: 127,
} as const;

/** What each of them means, for help and docs/cli.md. */
export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ["0", "all is well"],
  ["1", "scan has found something"],
  ["2", "the command line is wrong"],
  ["65", "a tape or recording is damaged, or of no known form"],
  ["66", "a file is missing or cannot be read"],
  ["69", "the proxy cannot listen: the port is in use, the address is not of this machine"],
  ["70", "a mistake in flowtape, or in the file of rules outside of its rules"],
  ["73", "a file cannot be written, or is not because it would hold a secret"],
  [
    "76",
    "the command has ended well, but requests matched nothing, entries were not used, answers have drifted, or a hook threw",
  ],
  ["78", "the file of rules, or the certificate authority, cannot be used"],
  ["126", "the command is not executable"],
  ["127", "there is no such command"],
  ["128+n", "signal n has ended the command, or flowtape before it ran; 141: nobody reads the output"],
  ["other", "that of the command"],
];

/** The exit code that stands for a signal, as in shells. */
export function exitCodeOf(signal: string): number {
  return 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);
}
