/**
 * The errors of flowtape. Every one says what happened, where, and what to do, and carries a stable `code`
 * that a program can compare.
 *
 * @module
 */

/** Base class of every error that flowtape throws. */
export class FlowtapeError extends Error {
  /** The name of the class. */
  override readonly name: string = "FlowtapeError";
  /** A stable, upper-case identifier, such as `PORT_IN_USE`: compare this, never the message. */
  readonly code: string;

  /**
   * Makes an error.
   *
   * @param code the stable identifier
   * @param message what happened, where, and what to do
   * @param options `cause`: the error underneath
   */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An option, matcher, rule or addon of the wrong form. Thrown when it is given, never later. */
export class OptionsError extends FlowtapeError {
  /** The name of the class. */
  override readonly name: string = "OptionsError";

  /**
   * Makes an error with the code `BAD_OPTION`.
   *
   * @param message names the option, the value, and what is accepted
   */
  constructor(message: string) {
    super("BAD_OPTION", message);
  }
}

/** A tape that cannot be read or written; the file is left as it was. */
export class TapeError extends FlowtapeError {
  /** The name of the class. */
  override readonly name: string = "TapeError";
}

/** Hooks that threw while the proxy was open; `proxy.close()` rejects with it. */
export class HookError extends FlowtapeError {
  /** The name of the class. */
  override readonly name: string = "HookError";
}

/** Requests that nothing on the tape matched in replay mode; `proxy.close()` rejects with it. */
export class UnmatchedRequestError extends FlowtapeError {
  /** The name of the class. */
  override readonly name: string = "UnmatchedRequestError";

  /**
   * Makes an error with the code `UNMATCHED_REQUEST`.
   *
   * @param message lists the requests, each with its nearest entry
   */
  constructor(message: string) {
    super("UNMATCHED_REQUEST", message);
  }
}
