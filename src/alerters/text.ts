/**
 * The text of messages, as far as alerters read it.
 *
 * @module
 */
import { essence, isText } from "../flow/media_type.ts";
import type { Message } from "../flow/message.ts";

/** Of longer bodies the beginning is read. */
const MAX_TEXT = 512 * 1024;
/** A coded body that is longer is not decoded: nobody has asked for it. */
const MAX_CODED = 1024 * 1024;

/** The body of a message as text, or the beginning of it; empty when it is not text, or cannot be read. */
export function textOf(message: Message): string {
  const { content, headers } = message;
  if (!content.complete || content.size === 0 || !isText(headers.get("content-type"))) return "";
  if (headers.has("content-encoding") && content.size > MAX_CODED) return "";
  try {
    if (content.size <= MAX_TEXT) return message.text().slice(0, MAX_TEXT);
    return new TextDecoder().decode(message.body.subarray(0, MAX_TEXT));
  } catch {
    return "";
  }
}

/** Whether a message is a page. */
export function isHtml(message: Message): boolean {
  return /^(?:text\/html|application\/xhtml\+xml)$/.test(essence(message.headers.get("content-type")));
}

/** Whether a message is a script. */
export function isScript(message: Message): boolean {
  return /^(?:text|application)\/(?:x-)?(?:javascript|ecmascript)$/.test(essence(message.headers.get("content-type")));
}

/** A page taken apart: what people read, and what is in its scripts. */
export interface Page {
  readonly text: string;
  readonly scripts: string;
}

/** Takes a page apart, in one pass however broken it is. */
export function readPage(html: string): Page {
  const lower = html.toLowerCase();
  let text = "";
  let scripts = "";
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    if (open < 0) break;
    text += html.slice(at, open);
    const name = /^<(script|style|!--)/.exec(lower.slice(open, open + 8))?.[1];
    if (name === "!--") {
      at = after(html, "-->", open);
      continue;
    }
    const start = after(html, ">", open);
    at = start;
    if (name === undefined) {
      // Words in neighbouring cells are not one word.
      text += " ";
      continue;
    }
    const end = lower.indexOf(`</${name}`, start);
    const stop = end < 0 ? html.length : end;
    if (name === "script") scripts += `${html.slice(start, stop)}\n`;
    at = stop;
  }
  return { text: text + html.slice(at), scripts };
}

/** The words around a place. */
export function excerpt(text: string, at: number): string {
  const start = Math.max(0, at - 30);
  return text.slice(start, at + 60).replace(/\s+/g, " ").trim();
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at + mark.length;
}
