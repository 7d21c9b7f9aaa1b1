/**
 * A request or a response: its fields, cookies, parameters, and its body.
 *
 * @module
 */
import type { VNode } from "preact";
import type { FieldData, HttpFlowData, MessageData } from "../data.ts";
import { Body } from "./body.tsx";
import { FieldSection, Section } from "./fields.tsx";
import { pairsOf } from "./form.ts";
import { bytes } from "./format.ts";
import { fieldOf } from "./headers.ts";
import { addressOf } from "./row.ts";

/** The request of a flow. */
export function RequestView({ flow }: { flow: HttpFlowData }): VNode {
  const { request } = flow;
  return (
    <>
      <p class="start-line">
        <code>
          {request.method} {addressOf(request.url).path || "/"}
          {addressOf(request.url).query} HTTP/{request.httpVersion}
        </code>
      </p>
      {request.originalUrl && (
        <p class="hint">
          The client asked for <code>{request.originalUrl}</code>: the request was rewritten.
        </p>
      )}
      <FieldSection title="Query" fields={pairsOf(addressOf(request.url).query.slice(1))} />
      <MessageView message={request} cookies={requestCookies(request.headers)} />
    </>
  );
}

/** The response of a flow, with what came before it, and what an addon has made of it. */
export function ResponseView({ flow }: { flow: HttpFlowData }): VNode {
  const { response, original, informational = [] } = flow;
  if (response === undefined) {
    return <p class="hint">{flow.pending ? "There was no response yet." : "There is no response."}</p>;
  }
  return (
    <>
      <p class="start-line">
        <code>HTTP/{response.httpVersion} {response.status} {response.reason}</code>
      </p>
      {informational.map(({ status, reason, headers }, i) => (
        <FieldSection key={i} title={`Before it: ${status} ${reason}`} fields={headers} />
      ))}
      <MessageView message={response} cookies={responseCookies(response.headers)} />
      {original && (
        <Section title="As the server had sent it" note={`${original.status} ${original.reason}`} closed>
          <MessageView message={original} cookies={[]} />
        </Section>
      )}
    </>
  );
}

function MessageView({ message, cookies }: { message: MessageData; cookies: readonly FieldData[] }): VNode {
  const { headers, trailers = [], body, size, encoded, incomplete } = message;
  const type = encoded ? "application/octet-stream" : fieldOf(headers, "content-type");
  const coding = fieldOf(headers, "content-encoding");
  return (
    <>
      {(body !== undefined || incomplete) && (
        <Section title="Body" note={`${bytes(size)}${coding && !encoded ? ` as ${coding}` : ""}`}>
          {encoded && <p class="hint">It could not be decoded: these are the bytes as {coding}.</p>}
          {incomplete && <p class="hint">It had not arrived as a whole.</p>}
          {body && <Body body={body} type={type} />}
        </Section>
      )}
      <FieldSection title="Headers" fields={headers} />
      <FieldSection title="Cookies" fields={cookies} />
      <FieldSection title="Trailers" fields={trailers} />
    </>
  );
}

function requestCookies(headers: readonly FieldData[]): FieldData[] {
  return headers.filter(([name]) => name.toLowerCase() === "cookie").flatMap(([, value]) => value.split(";").map(pair));
}

function responseCookies(headers: readonly FieldData[]): FieldData[] {
  return headers.filter(([name]) => name.toLowerCase() === "set-cookie").map(([, value]) => pair(value));
}

function pair(text: string): FieldData {
  const mark = text.indexOf("=");
  return mark < 0 ? [text.trim(), ""] : [text.slice(0, mark).trim(), text.slice(mark + 1).trim()];
}
