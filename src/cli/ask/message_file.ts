/**
 * A message as a text that a person edits, and back.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { OptionsError } from "../../flow/error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import type { Message } from "../../flow/message.ts";
import type { PausedFlow } from "../../rules/mod.ts";
import { checkRequestEdit } from "../../rules/actions/request_edit.ts";
import { checkResponseEdit } from "../../rules/actions/response_edit.ts";

/** Everything above the body, and the body. */
interface Parts {
  readonly start: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** The message that a flow waits with: a line with method and URL, or status and reason; header fields; the body. */
export function textOf(paused: PausedFlow): string {
  const message = messageOf(paused);
  const body = editableBody(message);
  const notes = [
    "# Save it and leave the editor. These lines do not count; an empty file changes nothing.",
    ...(body === undefined ? [`# The body (${message.content.size} bytes) is no text, and stays as it is.`] : []),
  ];
  const fields = message.headers.raw.map(([name, value]) => `${name}: ${value}`);
  // Editors end the last line: one line break behind the body is theirs.
  return [...notes, startOf(paused), ...fields, "", body ?? "", ""].join("\n").replace(
    /\n$/,
    body === undefined ? "" : "\n",
  );
}

/**
 * Changes the message as a text says. What stands in the text as it was is left alone.
 *
 * @throws {OptionsError} the text is no message, or what cannot be sent; nothing has changed then
 */
export function applyText(paused: PausedFlow, text: string): void {
  const before = parse(textOf(paused));
  const after = parse(text);
  if (after === undefined || before === undefined) return;
  const message = messageOf(paused);
  const startEdit = after.start === before.start ? undefined : readStart(paused, after.start);
  const fieldsEdited = JSON.stringify(after.fields) !== JSON.stringify(before.fields);
  const headers = fieldsEdited ? FlowHeaders.from(after.fields) : undefined;
  const bodyEdited = editableBody(message) !== undefined && after.body !== before.body;

  if (headers !== undefined) message.headers = headers;
  startEdit?.();
  // A URL brings its own Host; one that was typed stays.
  const host = hostOf(after);
  if (host !== undefined && host !== hostOf(before)) message.headers.set("host", host);
  if (bodyEdited) message.body = after.body;
}

function messageOf({ flow, phase }: PausedFlow): Message {
  return phase === "response" ? flow.response! : flow.request;
}

function startOf({ flow, phase }: PausedFlow): string {
  if (phase === "response") return `${flow.response!.status} ${flow.response!.reason}`.trimEnd();
  return `${flow.request.method} ${flow.request.url}`;
}

/** What changes the first line, once it has been found right. */
function readStart({ flow, phase }: PausedFlow, start: string): () => void {
  if (phase === "response") {
    const [, status, reason = ""] = /^(\d{3})(?: (.*))?$/.exec(start) ?? fail(start, "200 OK");
    checkResponseEdit({ status: Number(status), reason });
    return () => {
      flow.response!.status = Number(status);
      flow.response!.reason = reason;
    };
  }
  const [, method, url] = /^(\S+) (\S+)$/.exec(start) ?? fail(start, "GET https://shop.test/");
  checkRequestEdit({ method, url });
  return () => {
    if (method !== flow.request.method) flow.request.method = method!;
    if (url !== flow.request.url) flow.request.url = url!;
  };
}

function fail(line: string, example: string): never {
  throw new OptionsError(`the first line is ${JSON.stringify(line.slice(0, 200))}: one such as ${example} is expected`);
}

/** The body as text; `undefined` when it cannot be edited as such without loss, or has not arrived. */
function editableBody(message: Message): string | undefined {
  if (!message.content.complete || message.bodyTruncated) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(message.body);
    return Buffer.from(text).equals(message.body) && !text.includes("\0") ? text : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined` for a text with nothing in it. */
function parse(text: string): Parts | undefined {
  const whole = text.replace(/^(?:#.*(?:\r?\n|$))*/, "");
  if (whole.trim() === "") return undefined;
  const [head = ""] = whole.split(/\r?\n\r?\n/, 1);
  const body = whole.slice(head.length).replace(/^\r?\n\r?\n/, "").replace(/\n$/, "");
  const [start = "", ...lines] = head.split(/\r?\n/);
  const fields = lines.filter((line) => line.trim() !== "").map((line) => {
    const colon = line.indexOf(":");
    if (colon <= 0) {
      throw new OptionsError(`${JSON.stringify(line.slice(0, 200))} is no header field: name: value is expected`);
    }
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  return { start: start.trim(), fields, body };
}

function hostOf({ fields }: Parts): string | undefined {
  return fields.find(([name]) => name.toLowerCase() === "host")?.[1];
}
