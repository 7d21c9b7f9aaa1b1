/**
 * multipart/form-data bodies (RFC 7578) as a platform `FormData`, without waiting.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { FlowtapeError } from "./error.ts";
import { parameter } from "./media_type.ts";

/**
 * The fields of a multipart/form-data body.
 *
 * @throws {FlowtapeError} `BODY_FORM`: the boundary is missing, or the body does not follow it.
 */
export function parseMultipart(bytes: Uint8Array, contentType: string): FormData {
  const boundary = parameter(contentType, "boundary");
  if (!boundary) throw new FlowtapeError("BODY_FORM", `content-type ${JSON.stringify(contentType)} names no boundary`);
  // A leading CRLF lets the first delimiter be found like every other one.
  const body = Buffer.concat([Buffer.from("\r\n"), bytes]);
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  const form = new FormData();
  let at = body.indexOf(delimiter);
  if (at < 0) throw new FlowtapeError("BODY_FORM", `the body does not hold the boundary ${JSON.stringify(boundary)}`);
  for (;;) {
    at += delimiter.length;
    if (body.toString("latin1", at, at + 2) === "--") return form;
    const head = body.indexOf("\r\n", at);
    const next = body.indexOf(delimiter, at);
    const blank = body.indexOf("\r\n\r\n", head);
    if (head < 0 || next < 0 || blank < 0 || blank > next) {
      throw new FlowtapeError("BODY_FORM", `the multipart body ends in the middle of part ${[...form].length + 1}`);
    }
    addPart(form, body.toString("utf8", head + 2, blank), body.subarray(blank + 4, next));
    at = next;
  }
}

function addPart(form: FormData, head: string, content: Buffer): void {
  const disposition = field(head, "content-disposition");
  const name = parameter(disposition, "name");
  if (name === undefined) throw new FlowtapeError("BODY_FORM", "a part of the multipart body has no name");
  const filename = parameter(disposition, "filename");
  if (filename === undefined) form.append(name, content.toString("utf8"));
  else form.append(name, new File([new Uint8Array(content)], filename, { type: field(head, "content-type") ?? "" }));
}

function field(head: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, "im").exec(head)?.[1];
}
