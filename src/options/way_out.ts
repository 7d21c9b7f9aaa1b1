/**
 * Checks of the options for another proxy on the way to the servers. No error shows a URL: it may hold a password.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { compileNoProxy } from "../wire/outbound/proxy/no_proxy.ts";
import { checkPacSource } from "../wire/outbound/proxy/pac/read_source.ts";
import { parseProxyUrl } from "../wire/outbound/proxy/proxy_url.ts";
import { type Check, isRecord, text } from "./schema.ts";

/** The URL of a proxy, or a function. */
export const checkProxy: Check = (value, where) => {
  if (typeof value === "string") {
    parseProxyUrl(value, `option ${where}`);
  } else if (typeof value !== "function") {
    throw new OptionsError(
      `option ${where} is of type ${typeof value}: the URL of a proxy as a string, or a function that returns one, is accepted`,
    );
  }
};

/** Rules as in NO_PROXY; none are rules too. */
export const checkNoProxy: Check = (value, where) => {
  if (value === "") return;
  text(value, where);
  compileNoProxy(value as string, `option ${where}`);
};

/** The text, path or URL of a PAC file. */
export const checkPac: Check = (value, where) => {
  text(value, where);
  checkPacSource(value as string);
};

/** Refuses a proxy and a PAC file at once: neither goes before the other. */
export function oneWayOut(check: Check): Check {
  return (value, where) => {
    check(value, where);
    if (isRecord(value) && value["proxy"] !== undefined && value["pac"] !== undefined) {
      throw new OptionsError(
        `options ${where}.proxy and ${where}.pac are given together: either is accepted. A PAC file can name the proxy itself`,
      );
    }
  };
}
