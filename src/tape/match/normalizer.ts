/**
 * Makes the copies of requests that are compared, by the function of the user.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import type { FlowRequest } from "../../flow/request.ts";
import type { TapeEntry } from "../entry.ts";
import type { Redactor } from "../redact/redactor.ts";
import { redactRequest } from "../redact/request.ts";
import type { MatchOptions } from "./match_options.ts";

/** `match.normalize`, ready to be called. */
export class Normalizer {
  readonly #normalize: NonNullable<MatchOptions["normalize"]>;
  readonly #redactor: Redactor;

  /** @param redactor live and recorded requests are given without credentials */
  constructor(normalize: NonNullable<MatchOptions["normalize"]>, redactor: Redactor) {
    this.#normalize = normalize;
    this.#redactor = redactor;
  }

  /**
   * A copy of a request as it counts.
   *
   * @param entry where it stands on the tape, if it does
   * @throws {OptionsError} the function failed, or is async
   */
  copyOf(request: FlowRequest, entry?: TapeEntry): FlowRequest {
    const copy = redactRequest(request, this.#redactor);
    const place = entry === undefined
      ? `${copy.method} ${copy.url}`
      : `entry ${entry.index} of the tape (${copy.method} ${copy.url})`;
    let returned: unknown;
    try {
      returned = this.#normalize(copy);
    } catch (error) {
      throw new OptionsError(
        `tape.match.normalize failed for ${place}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    if (typeof (returned as PromiseLike<unknown> | undefined)?.then !== "function") return copy;
    // What it does from here on comes too late, and must not crash the process.
    Promise.resolve(returned).catch(() => {});
    throw new OptionsError(
      `tape.match.normalize returned a promise for ${place}: it changes the request it is given, at once`,
    );
  }
}
