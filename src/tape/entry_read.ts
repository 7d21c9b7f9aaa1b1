/**
 * Reads an entry of a HAR document. What is wrong with it is named by file, place and field.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { basename } from "node:path";
import type { FlowError } from "../flow/flow_error.ts";
import { checkField } from "../flow/headers.ts";
import type { HttpVersion } from "../flow/message.ts";
import type { StoredBody, StoredEntry, StoredMessage } from "./entry.ts";
import { bodyFolder } from "./har.ts";
import { base64, object, optional, string, Wrong } from "./field.ts";
import { damaged, isObject, type Json } from "./har_read.ts";
import { readConversation, readInformational, readStream, readTcp, type StoredTcp } from "./streams/read.ts";

/**
 * Checks an entry and keeps what replay needs of it.
 *
 * @throws {TapeError} `TAPE_DAMAGED`, `TAPE_BODY_PATH`
 */
export function readEntry(entry: unknown, index: number, path: string): StoredEntry {
  try {
    const whole = object(entry, "");
    const { request, response, comment } = whole;
    const tcp = readTcp(whole);
    if (tcp !== undefined) return readTcpEntry(whole, tcp, path);
    const req = object(request, "request");
    const res = object(response, "response");
    const method = string(req.method, "request.method");
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new Wrong("request.method", method, "a method");
    const url = string(req.url, "request.url");
    if (!/^(?:https?|wss?):\/\/[^/?#\s]/i.test(url) || !URL.canParse(url)) {
      throw new Wrong("request.url", url, "an absolute http or https URL");
    }
    const status = readStatus(res.status);
    const content = object(res.content, "response.content");
    const stream = readStream(content, "response.content");
    const conversation = readConversation(whole, status);
    const body = readBody(content, "response.content", path);
    // Its file has lines, and is no body.
    const lines = body?.form === "file" && (stream ?? conversation) !== undefined ? body.value : undefined;
    const informational = readInformational(res._informational, readFields);
    const wait = readWait(whole.timings);
    return {
      method,
      url: url.includes("#") ? url.slice(0, url.indexOf("#")) : url,
      request: readMessage(req, "request", readPostData(req.postData, path)),
      status,
      reason: readReason(res.statusText),
      response: readMessage(res, "response", body),
      failure: readFailure(res, status),
      comment: optional(comment, "comment"),
      // Most entries have none of these: a long tape must be small in memory.
      ...(wait > 0 && { wait }),
      ...(informational.length > 0 && { informational }),
      ...(stream && { stream }),
      ...(conversation && { conversation }),
      ...(lines !== undefined && { lines }),
    };
  } catch (error) {
    if (error instanceof Wrong) throw damaged(path, error.describe(placeOf(entry, index)), undefined, error.code);
    throw error;
  }
}

function readTcpEntry(entry: Json, tcp: StoredTcp, path: string): StoredEntry {
  const url = string(object(entry.request, "request").url, "request.url");
  if (!/^tcp:\/\/[^/?#\s]+:\d{1,5}$/.test(url)) {
    throw new Wrong("request.url", url, "a URL such as tcp://redis.test:6379");
  }
  const response = object(entry.response, "response");
  const body = readBody(object(response.content, "response.content"), "response.content", path);
  const none: StoredMessage = { httpVersion: "1.1", fields: "", trailers: undefined, body: undefined };
  const wait = readWait(entry.timings);
  return {
    method: "TCP",
    url,
    request: none,
    status: 0,
    reason: "",
    response: { ...none, body },
    failure: response._error === undefined ? undefined : readFailure(response, 0),
    comment: optional(entry.comment, "comment"),
    tcp,
    ...(wait > 0 && { wait }),
    ...(body?.form === "file" && { lines: body.value }),
  };
}

/** How long the server took. Others write -1 where they do not know. */
function readWait(timings: unknown): number {
  const { wait } = isObject(timings) ? timings : {};
  return typeof wait === "number" && wait > 0 ? wait : 0;
}

/** The place of an entry for messages: `log.entries[3] (GET https://shop.test/)`. */
export function placeOf(entry: unknown, index: number): string {
  const request = isObject(entry) && isObject(entry.request) ? entry.request : {};
  const known = typeof request.method === "string" && typeof request.url === "string";
  return `log.entries[${index}]${known ? ` (${request.method} ${request.url})` : ""}`;
}

function readMessage(message: Json, where: "request" | "response", body: StoredBody | undefined): StoredMessage {
  return {
    httpVersion: readVersion(optional(message.httpVersion, `${where}.httpVersion`)),
    fields: readFields(message.headers, `${where}.headers`),
    trailers: message._trailers === undefined ? undefined : readFields(message._trailers, `${where}._trailers`),
    body,
  };
}

function readVersion(version = ""): HttpVersion {
  if (/^h[23]|http\/[23]/i.test(version)) return "2";
  return version.endsWith("1.0") ? "1.0" : "1.1";
}

function readStatus(status: unknown): number {
  if (typeof status !== "number") throw new Wrong("response.status", status, "a number");
  if (status === 0 || status === -1) return 0;
  // A response that is only announced (RFC 9110 section 15.2) answers nothing; 101 is left alone.
  if (!Number.isInteger(status) || (status < 200 && status !== 101) || status > 999) {
    throw new Wrong("response.status", status, "0 or a status code");
  }
  return status;
}

function readReason(reason: unknown): string {
  const octets = toOctets(optional(reason, "response.statusText") ?? "");
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(octets)) throw new Wrong("response.statusText", reason, "one line of text");
  return octets;
}

// Names are few and come again in every entry.
const known = new Set<string>();
const PLAIN = /^[\x20-\x7e]*$/;

/** The field lines of a list of headers. @throws {Wrong} */
export function readFields(list: unknown, where: string): string {
  if (!Array.isArray(list)) throw new Wrong(where, list, "an array");
  const lines: string[] = [];
  for (let i = 0; i < list.length; i++) {
    const { name, value } = isObject(list[i]) ? list[i] as Json : {} as Json;
    if (typeof name !== "string") throw new Wrong(`${where}[${i}].name`, name, "a string");
    if (typeof value !== "string") throw new Wrong(`${where}[${i}].value`, value, "a string");
    if (known.has(name) && PLAIN.test(value)) lines.push(name, ": ", value, "\r\n");
    else lines.push(readUnusualField(name, value, `${where}[${i}]`));
  }
  return lines.join("");
}

function readUnusualField(name: string, value: string, where: string): string {
  // Chrome lists the pseudo-fields of HTTP/2, and joins the lines of a field with line breaks.
  if (name.startsWith(":")) return "";
  return value.split("\n").map((line) => {
    const octets = toOctets(line);
    try {
      checkField(name, octets);
    } catch (cause) {
      throw new Wrong(where, undefined, "", `cannot be sent: ${cause instanceof Error ? cause.message : cause}`);
    }
    if (known.size < 1000) known.add(name);
    return `${name}: ${octets}\r\n`;
  }).join("");
}

/** Others write the text of a value where HTTP has octets. */
function toOctets(value: string): string {
  // deno-lint-ignore no-control-regex -- the octets of a field value
  return /^[\x00-\xff]*$/.test(value) ? value : Buffer.from(value).toString("latin1");
}

function readPostData(postData: unknown, path: string): StoredBody | undefined {
  if (postData === undefined || postData === null) return undefined;
  return readBody(object(postData, "request.postData"), "request.postData", path);
}

function readBody(body: Json, where: string, path: string): StoredBody | undefined {
  const encoded = body._encoded === true;
  const file = optional(body._file, `${where}._file`);
  if (file !== undefined) {
    if (!/^[\w-][\w.-]*$/.test(file)) {
      const folder = basename(bodyFolder(path));
      throw new Wrong(
        `${where}._file`,
        file,
        `the name of a file in ${folder}/, without folders,`,
        undefined,
        "TAPE_BODY_PATH",
      );
    }
    return { form: "file", value: file, encoded };
  }
  let value = optional(body.text, `${where}.text`) ?? "";
  if (value === "" && Array.isArray(body.params)) value = readParams(body.params, `${where}.params`);
  if (value === "") return undefined;
  const encoding = optional(body.encoding ?? body._encoding, `${where}.encoding`) ?? "";
  if (encoding === "") return { form: "text", value, encoded };
  if (encoding !== "base64") throw new Wrong(`${where}.encoding`, encoding, '"base64"');
  return { form: "base64", value: base64(value, `${where}.text`), encoded };
}

/** Some write the fields of a form instead of its text. */
function readParams(params: unknown[], where: string): string {
  const form = new URLSearchParams();
  for (const [i, param] of params.entries()) {
    const { name, value } = object(param, `${where}[${i}]`);
    form.append(string(name, `${where}[${i}].name`), optional(value, `${where}[${i}].value`) ?? "");
  }
  return form.toString();
}

function readFailure(response: Json, status: number): FlowError | undefined {
  const { _error: error, _failureText: text } = response;
  if (isObject(error)) {
    const code = string(error.code, "response._error.code");
    if (!/^[\w.-]+$/.test(code)) throw new Wrong("response._error.code", code, "a word");
    const message = string(error.message, "response._error.message");
    const { status: shown, resetCode } = error;
    const reset = Number.isInteger(resetCode) ? { resetCode: resetCode as number } : {};
    if (shown === undefined) return { code, message, ...reset };
    if (!Number.isInteger(shown) || (shown as number) < 200 || (shown as number) > 999) {
      throw new Wrong("response._error.status", shown, "a status code");
    }
    return { code, message, status: shown as number, ...reset };
  }
  // What others write there is for people: the code is that of a server that gave no answer.
  const why = typeof error === "string" && error !== ""
    ? error
    : typeof text === "string" && text !== ""
    ? text
    : undefined;
  if (status !== 0) return undefined;
  return { code: "UPSTREAM_CLOSED", message: why ?? "the recording holds no response" };
}
