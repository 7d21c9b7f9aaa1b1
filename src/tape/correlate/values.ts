/**
 * The values of a request by place: `query.state`, `headers.x-request-id`, `cookies.sid`, `json.a.b`, `form.csrf`.
 *
 * @module
 */
import { isJson } from "../../flow/media_type.ts";
import { essence } from "../../flow/media_type.ts";
import type { FlowRequest } from "../../flow/request.ts";

/** A body that is larger is not looked into. */
const LARGEST = 1 << 20;

/** Fields that say nothing of what is asked for. */
const PLAIN =
  /^(?:host|user-agent|accept.*|content-.*|connection|keep-alive|date|origin|referer|cookie|te|trailer|transfer-encoding|upgrade.*|sec-.*|cache-control|pragma|expect|via|forwarded|x-forwarded-.*|priority|range|if-(?:modified|unmodified)-since)$/;

/** The values of one request. Each part of it is read when somebody asks for it. */
export class RequestValues {
  readonly #request: FlowRequest;
  readonly #parts = new Map<string, Map<string, string>>();

  /** @param request whose body is there, or is left out */
  constructor(request: FlowRequest) {
    this.#request = request;
  }

  /** The value at a place. */
  get(place: string): string | undefined {
    const dot = place.indexOf(".");
    return this.#part(place.slice(0, dot)).get(place.slice(dot + 1));
  }

  /** All of them. */
  *[Symbol.iterator](): Generator<[place: string, value: string]> {
    for (const part of ["query", "headers", "cookies", "json", "form"]) {
      for (const [name, value] of this.#part(part)) yield [`${part}.${name}`, value];
    }
  }

  #part(part: string): Map<string, string> {
    let values = this.#parts.get(part);
    if (values === undefined) this.#parts.set(part, values = this.#read(part));
    return values;
  }

  #read(part: string): Map<string, string> {
    const request = this.#request;
    const { headers } = request;
    switch (part) {
      case "query":
        return numbered(new URLSearchParams(request.target.split("?").slice(1).join("?")));
      case "headers":
        return numbered(
          Array.from(headers, ([name, value]): [string, string] => [name.toLowerCase(), withoutScheme(value)])
            .filter(([name]) => !PLAIN.test(name)),
        );
      case "cookies":
        return numbered(
          headers.getAll("cookie").join(";").split(";").map((pair): [string, string] => {
            const mark = pair.indexOf("=");
            return [pair.slice(0, mark).trim(), pair.slice(mark + 1).trim()];
          }),
        );
      case "json":
        return isJson(headers.get("content-type")) ? this.#leaves() : NONE;
      case "form":
        return essence(headers.get("content-type")) === "application/x-www-form-urlencoded"
          ? numbered(new URLSearchParams(this.#text()))
          : NONE;
    }
    return NONE;
  }

  #leaves(): Map<string, string> {
    const found = new Map<string, string>();
    const walk = (value: unknown, path: string) => {
      if (typeof value === "string") found.set(path, value);
      else if (typeof value === "object" && value !== null) {
        for (const [key, member] of Object.entries(value)) walk(member, path === "" ? key : `${path}.${key}`);
      }
    };
    try {
      walk(JSON.parse(this.#text()), "");
    } catch {
      // What is no JSON, or too deep, has no values.
    }
    return found;
  }

  #text(): string {
    const { content } = this.#request;
    if (!content.complete || content.truncated || content.size > LARGEST) return "";
    try {
      return this.#request.text();
    } catch {
      return "";
    }
  }
}

const NONE = new Map<string, string>();

/** `Bearer abc` is `abc`. */
function withoutScheme(value: string): string {
  return /^(?:Bearer|Basic|Token|ApiKey)[ \t]+(\S+)$/i.exec(value)?.[1] ?? value;
}

/** The second value of a name is `name#1`. */
function numbered(pairs: Iterable<[string, string]>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of pairs) {
    let key = name;
    for (let n = 1; found.has(key); n++) key = `${name}#${n}`;
    if (value !== "") found.set(key, value);
  }
  return found;
}
