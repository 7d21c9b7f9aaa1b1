/**
 * How recordings of others are imported.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { checkShape, nonEmptyString, oneOf } from "../check.ts";

/** How a recording is imported. */
export interface ImportOptions {
  /**
   * Where the requests went, such as `"https://api.test"`: for WireMock, whose mappings have paths only.
   */
  origin?: string;
  /**
   * What becomes of mappings that are for many requests (patterns, any method, templates), where an entry of a tape is one request:
   * `"fail"` (the default) refuses the import and names the first; `"leave"` leaves them out, and `notes` says which.
   */
  inexact?: "fail" | "leave";
}

/** @throws {OptionsError} names the option */
export function checkImportOptions(path: unknown, options: ImportOptions): void {
  nonEmptyString("path", path);
  checkShape("options", options, { origin: nonEmptyString, inexact: oneOf("fail", "leave") });
  const { origin } = options;
  if (origin === undefined) return;
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "") {
    throw new OptionsError(
      `options.origin is ${JSON.stringify(origin)}: an origin such as "https://api.test" is accepted`,
    );
  }
}
