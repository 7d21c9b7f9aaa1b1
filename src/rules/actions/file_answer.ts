/**
 * Answers a flow with a file.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { FlowtapeError } from "../../flow/error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { Respond } from "./response_shape.ts";

/** Answers with the file as it is now: a test may write it after the rule was made. */
export async function answerWithFile(flow: HttpFlow, response: Respond, file: string): Promise<void> {
  const body = await read(resolve(file));
  const headers = FlowHeaders.from(response.headers ?? []);
  if (!headers.has("content-type")) headers.append("content-type", mediaTypeOf(file));
  const { status, reason } = response;
  flow.response = FlowResponse.create({ status, reason, headers, body });
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FlowtapeError("RESPOND_FILE", `respond() cannot read its file ${path}: ${why}`, { cause });
  }
}

const UTF8 = "; charset=utf-8";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  css: `text/css${UTF8}`,
  csv: `text/csv${UTF8}`,
  gif: "image/gif",
  gz: "application/gzip",
  htm: `text/html${UTF8}`,
  html: `text/html${UTF8}`,
  ico: "image/vnd.microsoft.icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: `text/javascript${UTF8}`,
  json: "application/json",
  jsonl: "application/jsonl",
  map: "application/json",
  md: `text/markdown${UTF8}`,
  mjs: `text/javascript${UTF8}`,
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: `text/plain${UTF8}`,
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
  webp: "image/webp",
  woff2: "font/woff2",
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  zip: "application/zip",
};

/** The media type of a file name; bytes of no known kind when the extension says nothing. */
function mediaTypeOf(file: string): string {
  return MEDIA_TYPES[extname(file).slice(1).toLowerCase()] ?? "application/octet-stream";
}
