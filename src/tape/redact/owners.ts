/**
 * What a proxy takes out of what it writes, for whoever shows its flows elsewhere.
 *
 * @module
 */
import type { RedactOptions } from "./options.ts";

const owners = new WeakMap<object, false | RedactOptions>();

/** Notes the option `redact` of the tape of a proxy. */
export function noteRedaction(owner: object, redact: false | RedactOptions | undefined): void {
  if (redact !== undefined) owners.set(owner, redact);
}

/** The option `redact` of the tape of a proxy; what is taken out anyway when it has none. */
export function redactionOf(owner: object | undefined): false | RedactOptions {
  return (owner && owners.get(owner)) ?? {};
}
