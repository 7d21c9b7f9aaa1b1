/**
 * How the demo speaks.
 *
 * @module
 */
import process from "node:process";
import { styleText } from "node:util";

let step = 0;

/** A heading: what is done next, and why. */
export function heading(title: string, why: string): void {
  say(`\n${paint(["bold", "cyan"], `${++step}. ${title}`)}\n   ${paint("dim", why)}\n`);
}

/** A line that went well. */
export function good(text: string, detail = ""): void {
  say(`   ${paint("green", "✓")} ${text}${detail === "" ? "" : `  ${paint("dim", detail)}`}`);
}

/** Something quoted, indented. */
export function quote(text: string): void {
  say(text.trimEnd().split("\n").map((line) => `   ${paint("dim", "│")} ${line}`).join("\n"));
}

/** A line. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
