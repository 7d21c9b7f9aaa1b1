/**
 * The forms of a matcher. Wherever a `Matcher` is taken, every form is.
 *
 * @module
 */
import type { Flow } from "../flow.ts";
import type { HttpFlow } from "../http_flow.ts";

/** An asymmetric matcher of a test library, such as `expect.stringContaining("a")`. */
export interface AsymmetricMatcher {
  /** Whether it accepts the value. */
  asymmetricMatch(value: unknown): boolean;
}

/** A schema of zod, valibot, arktype or any other library that follows Standard Schema; it must not be asynchronous. */
export interface StandardSchema {
  /** What the standard wants. */
  readonly "~standard": {
    /** The library. */
    readonly vendor: string;
    /** Answers with `{ value }`, or with `{ issues }` when it does not accept the value. */
    readonly validate: (value: unknown) => unknown;
  };
}

/** A `URLPattern` of the platform or of a polyfill: not every runtime, and not every version of its types, has one. */
export interface UrlPattern {
  /** Whether a URL matches. */
  test(url: string): boolean;
  /** What its groups match. */
  exec(url: string): unknown;
  /** The pattern of the scheme. */
  readonly protocol: string;
  /** The pattern of the host name. */
  readonly hostname: string;
  /** The pattern of the port. */
  readonly port: string;
  /** The pattern of the path. */
  readonly pathname: string;
  /** The pattern of the query. */
  readonly search: string;
}

/** How one value is matched: exactly, by pattern, by function, or by presence (`true`: is there, `false`: is not). */
export type ValueMatcher =
  | string
  | number
  | boolean
  | RegExp
  | AsymmetricMatcher
  | StandardSchema
  | ((value: string) => boolean)
  | readonly ValueMatcher[];

/**
 * Names and values: others may be there too, and an array wants several values of one name. Or a schema for all of them, as an object in
 * which a name with several values has an array.
 */
export type RecordMatcher = { readonly [name: string]: ValueMatcher } | StandardSchema;

/** A body as a whole: this text or these bytes, a pattern, `expect.stringContaining("a")`, a schema for the text. */
export type BodyMatcher = string | RegExp | Uint8Array | AsymmetricMatcher | StandardSchema;

/** A request (and its response) described by some of its parts: every part that is given must match. */
export interface RequestShape {
  /** One method or several, in any case. */
  method?: string | readonly string[];
  /** Absolute URL, or a pattern as in a string matcher. */
  url?: string | RegExp | UrlPattern;
  /** `http`, `https`, `ws` or `wss`. */
  scheme?: string;
  /** Host name (`*.name` for all below it), or `name:port`. */
  host?: string | RegExp;
  /** Port number. */
  port?: number;
  /** Path without the query; `:name` and `*` as in a string matcher. */
  path?: string | RegExp;
  /** Query parameters; others may be there too. An array wants several values of one name. */
  query?: RecordMatcher;
  /** Header fields by name; others may be there too. A schema has their names in lower case. */
  headers?: RecordMatcher;
  /** Cookies of the request by name; others may be there too. */
  cookies?: RecordMatcher;
  /** The decoded body: exactly this text or these bytes, or a pattern. */
  body?: BodyMatcher;
  /**
   * The JSON body: objects match when every given key matches, arrays element by element. `RegExp`, functions, `expect.any(Number)` and
   * schemas may stand anywhere in it, or in its place.
   */
  json?: unknown;
  /** Form fields (urlencoded or multipart) by name; others may be there too. */
  form?: RecordMatcher;
  /** Status of the response: `404`, `"4xx"`, `"500-504"`. */
  status?: number | string;
  /** The response, by some of its parts. A flow without one does not match. */
  response?: ResponseShape;
}

/** A response described by some of its parts: every part that is given must match. */
export interface ResponseShape {
  /** `404`, `"4xx"`, `"500-504"`. */
  status?: number | string;
  /** The reason phrase. */
  reason?: string | RegExp;
  /** Header fields by name; others may be there too. A schema has their names in lower case. */
  headers?: RecordMatcher;
  /** Cookies that are set, by name; others may be set too. */
  cookies?: RecordMatcher;
  /** The decoded body: exactly this text or these bytes, or a pattern. */
  body?: BodyMatcher;
  /** The JSON body, as in {@linkcode RequestShape}. */
  json?: unknown;
}

/** A message of a WebSocket, or a piece of a raw conversation, described by some of its parts. */
export interface MessageShape {
  /** Who sent it; either side by default. */
  from?: "client" | "server";
  /** The kind of a WebSocket message. */
  type?: "text" | "binary";
  /** Its text: exactly this one, or a pattern. */
  text?: string | RegExp | AsymmetricMatcher | StandardSchema;
  /** Its text as JSON, as in {@linkcode RequestShape}. */
  json?: unknown;
  /** Exactly these bytes. */
  data?: Uint8Array;
}

/** A message of a WebSocket, or a piece of a raw conversation, as far as a matcher looks at it. */
export interface MatchedMessage {
  /** Who sent it. */
  readonly from: "client" | "server";
  /** The kind of a WebSocket message; a raw conversation has none. */
  readonly type?: "text" | "binary";
  /** The bytes. */
  readonly data: Uint8Array;
  /** The same as text. */
  readonly text: string;
}

/**
 * Which messages: exactly this text or these bytes, a pattern for the text, `expect.stringContaining("a")`, some parts, or a function.
 */
export type MessageMatcher =
  | string
  | RegExp
  | Uint8Array
  | AsymmetricMatcher
  | MessageShape
  | ((message: MatchedMessage) => boolean);

/** A matcher in its one inner form. */
export interface CompiledMatcher {
  /** One line for errors, reports and near misses. */
  readonly description: string;
  /** Whether it says yes. Throws `BodyIncompleteError` when it must see a body that has not arrived. */
  matches(flow: Flow): boolean;
  /** Field by field, why it says yes or no: the base of every near miss. Without it the whole is one field. */
  compare?(flow: Flow): Comparison[];
  /** Whether it is about raw conversations too: `tcp()` is, and what is made of that. Only then does a rule apply to them. */
  readonly tcp?: boolean;
  /** What every request that it matches has in common, so that a long list of rules can be indexed. */
  readonly key?: MatchKey;
}

/** One field of a near miss. */
export interface Comparison {
  /** Such as `method`, `query.page`, `json.items[0].qty`. */
  readonly field: string;
  /** What was wanted, for people. */
  readonly expected: string;
  /** What was there, for people; `undefined` when nothing was. */
  readonly actual: string | undefined;
  /** Whether they fit. */
  readonly matches: boolean;
}

/** Exact parts of a matcher; a part that is missing can be anything. */
export interface MatchKey {
  /** Upper case. */
  readonly method?: string;
  /** Host name without port, lower case. */
  readonly hostname?: string;
  /** Path without query, exactly. */
  readonly path?: string;
}

/**
 * Says yes or no to a flow:
 *
 * - a string: an optional method and a URL pattern or path, `"POST https://shop.test/orders/:id"`, `"/orders/*"`
 * - a `RegExp` or `URLPattern` for the absolute URL
 * - an object that gives some parts: {@linkcode RequestShape}
 * - a function of the flow
 * - a compiled matcher: `all()`, `any()`, `not()`, `filter()`
 */
export type Matcher =
  | string
  | RegExp
  | UrlPattern
  | RequestShape
  | ((flow: HttpFlow) => boolean)
  | CompiledMatcher;
