/**
 * `flowtape scan`: looks for secrets in recordings.
 *
 * @module
 */
import { type Finding, scan } from "../../tape/mod.ts";
import { EXIT } from "../exit_codes.ts";
import type { Given } from "../given.ts";
import { progress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { count } from "./convert.ts";

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  const paths = given.args.length === 0 ? ["."] : given.args;
  const allow = given.texts("allow");
  using telling = progress(terminal, "scanning");
  const findings: Finding[] = [];
  for (const path of paths) {
    telling.step(`scanning ${path}`);
    findings.push(...await scan([path], allow.length === 0 ? {} : { redact: { allow: [...allow] } }));
  }
  telling[Symbol.dispose]();
  if (given.flag("json")) terminal.write(`${JSON.stringify({ paths, findings })}\n`);
  else {
    for (const { path, entry, field, kind, excerpt, fix } of findings) {
      terminal.write(
        `${path}: ${entry === path ? "" : `${entry}: `}${field} holds a ${kind}: ${excerpt}\n    ${fix}\n`,
      );
    }
    terminal.tell(
      `flowtape: ${findings.length === 0 ? "no secrets found" : `${count(findings.length, "secret")} found`}\n`,
    );
  }
  return findings.length === 0 ? EXIT.ok : EXIT.found;
}
