/**
 * An alerter for what a test of security looks at first.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import type { FlowResponse } from "../flow/response.ts";
import type { Alerter } from "./alerter.ts";
import { excerpt, isHtml, isScript, readPage, textOf } from "./text.ts";

/** What pages should not say. */
const IN_TEXT: readonly (readonly [string, RegExp])[] = [
  ["an error", /(?<!t)error/i],
  ["a warning", /warning/i],
  ["SQL", /sql/i],
  ["LDAP", /ldap/i],
];
/** What scripts should not hold. */
const IN_SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ["a password", /passw(?:or)?d/i],
  ["a credential", /credential/i],
];
/** Shorter values of cookies are everywhere. */
const MIN_COOKIE = 4;

/**
 * Finds in responses: messages about errors, warnings, SQL and LDAP in the text of HTML; passwords and credentials in scripts, those in
 * HTML too; values of cookies, of the request or of the response, in bodies. It reads the first 512 KiB of a body.
 *
 * @example
 * ```ts
 * import { genericAlerter, respond, startProxy } from "flowtape";
 *
 * const page = respond({ headers: { "content-type": "text/html" }, body: "<p>You have an error in your SQL syntax" });
 * await using proxy = await startProxy({ defaultAction: page, alerter: genericAlerter });
 * await proxy.fetch("http://shop.test/search?q='");
 * console.log(proxy.flows.summary());
 * ```
 */
export const genericAlerter: Alerter = (flow: HttpFlow): string[] => {
  const { response } = flow;
  if (response === undefined) return [];
  const body = textOf(response);
  if (body === "") return [];
  const cookies = cookiesIn(body, flow, response);
  if (isHtml(response)) {
    const { text, scripts } = readPage(body);
    return [...found(IN_TEXT, text, "the page"), ...found(IN_SCRIPTS, scripts, "a script"), ...cookies];
  }
  return isScript(response) ? [...found(IN_SCRIPTS, body, "the script"), ...cookies] : cookies;
};

function found(patterns: typeof IN_TEXT, text: string, where: string): string[] {
  return patterns.flatMap(([what, pattern]) => {
    const at = text.search(pattern);
    return at < 0 ? [] : [`${where} mentions ${what}: ${JSON.stringify(excerpt(text, at))}`];
  });
}

function cookiesIn(body: string, { request }: HttpFlow, response: FlowResponse): string[] {
  const all = new Map([...Object.entries(request.cookies), ...Object.entries(response.cookies)]);
  return [...all].flatMap(([name, value]) =>
    // Not the value: it is a secret, and an alert is printed.
    value.length >= MIN_COOKIE && body.includes(value) ? [`the body holds the value of the cookie ${name}`] : []
  );
}
