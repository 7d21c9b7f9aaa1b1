/**
 * From flows to a page.
 *
 * @module
 */
import { collect } from "./collect.ts";
import type { ReportData } from "./data.ts";
import type { ReportInput } from "./input.ts";
import { PAGE } from "./page.generated.ts";

/**
 * One HTML page about flows, and why a test has failed: with everything in it, without secrets. It needs no network and no server, and
 * nothing that is in the flows is executed.
 *
 * @example
 * ```ts
 * import { renderReport } from "flowtape/report";
 * import { startProxy } from "flowtape";
 *
 * await using proxy = await startProxy();
 * const html = await renderReport({ flows: proxy.flows, title: "checkout" });
 * html.startsWith("<!doctype html>"); // true
 * ```
 *
 * @throws {OptionsError} something is no flow
 * @throws {TapeError} the body of an entry of a tape cannot be read
 */
export async function renderReport(input: ReportInput): Promise<string> {
  const data = await collect(input);
  const { script, scriptHash, style, styleHash } = PAGE;
  const policy = [
    "default-src 'none'",
    `script-src '${scriptHash}'`,
    `style-src '${styleHash}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy.join("; ")}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${escapeHtml(data.title)}</title>`,
    `<style>${style}</style>`,
    "</head>",
    "<body>",
    '<div id="app"><noscript>This report is shown by a script that is part of it.</noscript></div>',
    `<script type="application/json" id="data">${scriptJson(data)}</script>`,
    `<script>${script}</script>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

/** JSON in which nothing ends the element that it stands in, or begins a comment there. */
function scriptJson(data: ReportData): string {
  return JSON.stringify(data).replace(/[<>&\u2028\u2029]/g, (sign) => {
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
