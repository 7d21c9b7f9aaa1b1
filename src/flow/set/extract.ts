/**
 * One value of every flow, by its name.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import type { Flow } from "../flow.ts";
import type { HttpFlow } from "../http_flow.ts";
import { describeValue } from "../matcher/describe.ts";
import { essence } from "../media_type.ts";
import type { Message } from "../message.ts";
import type { FlowRequest } from "../request.ts";
import type { FlowResponse } from "../response.ts";
import { jsonMember } from "./json_member.ts";
import { lengthOf, timeOf } from "./measure.ts";

/** Where a value is looked for. */
export type ExtractFrom = "request" | "response";

/**
 * Makes the function that finds a value in a flow; it gives `undefined` where there is none.
 *
 * @param arg a name, or one with its place in front: `headers.`, `query.`, `form.`, `json.`, `cookies.`, `flow.`
 * @param from one of the messages; by default the request, and where it has none the response
 * @throws {OptionsError} no name, or another place
 */
export function compileExtract(arg: string, from?: ExtractFrom): (flow: Flow) => unknown {
  if (typeof arg !== "string" || arg === "") {
    throw new OptionsError(`extract() takes a name such as "status" or "query.page", not ${describeValue(arg)}`);
  }
  if (from !== undefined && from !== "request" && from !== "response") {
    throw new OptionsError(`extract() looks in "request" or in "response", not in ${describeValue(from)}`);
  }
  const { place, name } = apart(arg);
  if (place === "flow") return (flow) => own(FLOW, name)?.(flow);
  return (flow) => {
    if (flow.type === "tcp") return place === undefined ? own(TCP, name)?.(flow) : undefined;
    const fromRequest = from === "response" ? undefined : inRequest(flow.request, place, name);
    return fromRequest !== undefined || from === "request" ? fromRequest : inResponse(flow, place, name);
  };
}

type Place = "headers" | "query" | "form" | "json" | "cookies" | "flow";

const PREFIX = /^(headers|query|form|json|cookies|flow)\.(.+)$/s;

function apart(arg: string): { place: Place | undefined; name: string } {
  const [, place, name] = PREFIX.exec(arg) ?? [];
  return place === undefined ? { place: undefined, name: arg } : { place: place as Place, name: name! };
}

type Getters<T> = Readonly<Record<string, (from: T) => unknown>>;

const FLOW: Getters<Flow> = {
  id: (flow) => flow.id,
  type: (flow) => flow.type,
  source: (flow) => flow.source,
  error: (flow) => flow.error?.code,
  time: timeOf,
  length: lengthOf,
  marked: (flow) => flow.marked,
  comment: (flow) => flow.comment,
};

const TCP: Getters<Extract<Flow, { type: "tcp" }>> = {
  hostname: (flow) => flow.hostname,
  port: (flow) => flow.port,
  host: (flow) => `${flow.hostname}:${flow.port}`,
  time: timeOf,
  length: lengthOf,
};

const MESSAGE: Getters<Message> = {
  httpVersion: (message) => message.httpVersion,
  body: (message) => message.body,
  text: (message) => message.text(),
  json: (message) => message.json(),
};

const REQUEST: Getters<FlowRequest> = {
  method: (request) => request.method,
  url: (request) => request.url,
  scheme: (request) => request.scheme,
  hostname: (request) => request.hostname,
  port: (request) => request.port,
  host: (request) => request.host,
  path: (request) => request.path,
  target: (request) => request.target,
  ...MESSAGE,
};

const RESPONSE: Getters<FlowResponse> = {
  status: (response) => response.status,
  reason: (response) => response.reason,
  ...MESSAGE,
};

function inRequest(request: FlowRequest, place: Place | undefined, name: string): unknown {
  return place === undefined && Object.hasOwn(REQUEST, name)
    ? readable(() => REQUEST[name]!(request))
    : inMessage(request, place, name, () => request.query.get(name));
}

function inResponse(flow: HttpFlow, place: Place | undefined, name: string): unknown {
  const { response } = flow;
  if (place === undefined && (name === "length" || name === "time")) return FLOW[name]!(flow);
  if (response === undefined) return undefined;
  return place === undefined && Object.hasOwn(RESPONSE, name)
    ? readable(() => RESPONSE[name]!(response))
    : inMessage(response, place, name, () => undefined);
}

function inMessage(message: Message, place: Place | undefined, name: string, query: () => unknown): unknown {
  const found: Record<Exclude<Place, "flow">, () => unknown> = {
    headers: () => message.headers.get(name),
    query,
    form: () => readable(() => formField(message, name)),
    json: () => readable(() => jsonMember(message.json(), name)),
    cookies: () => readable(() => own(message.cookies, name)),
  };
  // In the order in which a name is looked for that has no place in front.
  const places = place === undefined ? Object.values(found) : [found[place as keyof typeof found]];
  for (const look of places) {
    const value = look();
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

function formField(message: Message, name: string): string | undefined {
  const type = essence(message.headers.get("content-type"));
  if (type !== "application/x-www-form-urlencoded" && type !== "multipart/form-data") return undefined;
  const value = message.form().get(name);
  return value === null || typeof value === "string" ? value ?? undefined : value.name;
}

/** A body that has not come, or is not what its type says, has no value. */
function readable(get: () => unknown): unknown {
  try {
    return get();
  } catch {
    return undefined;
  }
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
