/**
 * Media types of bodies (RFC 9110 section 8.3): what is text, what is JSON, which charset.
 *
 * @module
 */

/** The type and subtype of a Content-Type value, in lower case, without parameters; `""` when there is none. */
export function essence(contentType: string | null | undefined): string {
  return (contentType ?? "").split(";", 1)[0]!.trim().toLowerCase();
}

/** A parameter of a Content-Type value, such as `charset` or `boundary`. */
export function parameter(contentType: string | null | undefined, name: string): string | undefined {
  // Most have none.
  if (!contentType?.includes(";")) return undefined;
  const match = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, "i").exec(contentType);
  return match ? match[1]?.replace(/\\(.)/g, "$1") ?? match[2] : undefined;
}

/** Whether a media type is JSON: `application/json`, `text/json` or a `+json` suffix (RFC 6839). */
export function isJson(contentType: string | null | undefined): boolean {
  return /^(?:application|text)\/json$|\+json$/.test(essence(contentType));
}

/** Whether a person can read a body of this media type in a diff. */
export function isText(contentType: string | null | undefined): boolean {
  const type = essence(contentType);
  return type.startsWith("text/") || isJson(type) || type.endsWith("+xml") || type.endsWith("+yaml") ||
    /^application\/(?:x-ndjson|jsonl|xml|javascript|ecmascript|x-javascript|x-www-form-urlencoded|graphql|yaml|x-yaml|toml|sql)$/
      .test(type);
}

/**
 * Whether bodies of this media type may have no end: server-sent events, and gRPC, where the client may wait for one message to send
 * the next. Nobody can wait for the whole of one.
 */
export function isOpenEnded(contentType: string | null | undefined): boolean {
  return /^(?:text\/event-stream|application\/grpc(?:\+.+)?)$/.test(essence(contentType));
}

/** The text of a body in the charset of its media type; UTF-8 when none or an unknown one is named. */
export function decodeText(bytes: Uint8Array, contentType: string | null | undefined): string {
  const charset = parameter(contentType, "charset");
  return decoderFor(charset).decode(bytes);
}

function decoderFor(charset: string | undefined): TextDecoder {
  try {
    return new TextDecoder(charset ?? "utf-8");
  } catch {
    return new TextDecoder();
  }
}
