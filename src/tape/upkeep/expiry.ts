/**
 * Tapes that are too old.
 *
 * @module
 */
import { TapeError } from "../../flow/error.ts";
import type { LogEntry } from "../../hooks/addon.ts";
import type { TapeOptions } from "../options.ts";
import type { TapeState } from "../state.ts";
import { DAY_MS, parseDays } from "./age.ts";

/** What it depends on. */
export interface ExpiryContext {
  readonly state: TapeState;
  /** Whether a mode of this run would record the tape anew. */
  readonly mayRecord: boolean;
  /** Milliseconds since 1970. */
  readonly now?: number;
  log(entry: LogEntry): void;
}

/**
 * Looks at the age of a tape.
 *
 * @returns whether it is to be recorded anew
 * @throws {TapeError} `TAPE_EXPIRED`
 */
export function checkExpiry(options: Pick<TapeOptions, "path" | "expires">, context: ExpiryContext): boolean {
  const { path, expires } = options;
  const { state, mayRecord, now = Date.now(), log } = context;
  if (expires === undefined || !state.exists) return false;
  const days = parseDays(expires.after)!;
  if (state.recorded === undefined) {
    log({
      level: "warn",
      message: `the tape ${path} does not say when it was recorded, so it cannot expire: record it anew, or write ` +
        `"_recorded": "${new Date(now).toISOString().slice(0, 10)}" into its "log"`,
    });
    return false;
  }
  const age = Math.floor((now - Date.parse(state.recorded)) / DAY_MS);
  if (age <= days) return false;
  const what =
    `the tape ${path} was recorded on ${state.recorded}, ${age} days ago, and expires after ${expires.after}`;
  if (expires.then === "fail") {
    throw new TapeError("TAPE_EXPIRED", `${what}: record it anew, with FLOWTAPE_MODE=record or mode: "record"`);
  }
  const anew = expires.then === "record" && mayRecord;
  log({ level: "warn", message: anew ? `${what}: it is recorded anew` : `${what}: record it anew` });
  return anew;
}
