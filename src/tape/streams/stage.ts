/**
 * What playing a recorded conversation needs of the tape.
 *
 * @module
 */
import type { Flow } from "../../flow/flow.ts";
import type { LogEntry } from "../../hooks/addon.ts";
import type { Correlator } from "../correlate/correlator.ts";
import type { TapeOptions } from "../options.ts";
import type { Redactor } from "../redact/redactor.ts";
import type { Pace } from "./pace.ts";

/** The tape that is played from. */
export interface Stage {
  readonly options: TapeOptions;
  readonly redactor: Redactor;
  readonly pace: Pace;
  /** Values that are new in every run. */
  readonly correlator: Pick<Correlator, "dialogue">;
  /** A client has said what is not on the tape: the test that owns the proxy fails. */
  unmatched(flow: Flow, explanation: string): void;
  log(entry: LogEntry): void;
}
