/**
 * Authentication of clients with the proxy: the Basic scheme (RFC 7617).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { sameCredentials } from "./socks/credentials.ts";

/** A name and a password. */
export interface ProxyCredentials {
  /** The name. */
  readonly username: string;
  /** The password. */
  readonly password: string;
  /** Any name will do, with any password: the text says what it is asked for. */
  readonly anyone?: string;
}

/** What came of looking at a request's credentials. */
export type AuthResult = { readonly granted: string } | "missing" | "wrong";

/** The value of Proxy-Authenticate in a 407 (RFC 9110 section 11.7.1); clients shall write in UTF-8 (RFC 7617 section 2.1). */
export function challengeOf({ anyone = "flowtape" }: ProxyCredentials): string {
  return `Basic realm="${anyone.replace(/[^ !#-[\]-~]/g, "")}", charset="UTF-8"`;
}

/** Why a request was answered with 407. It says nothing of what was sent. */
export const UNAUTHORIZED: FlowError = Object.freeze({
  code: "PROXY_AUTH",
  message: "the client did not authenticate with the proxy as option auth asks: give it proxy.env(), or its name and " +
    "password in the proxy's URL",
  status: 407,
});

/** Whether the field lines of a request hold these credentials. The time that it takes does not depend on how much of them is right. */
export function checkAuth(expected: ProxyCredentials, fields: string): AuthResult {
  // Most requests without it are told apart without reading every field.
  const sent = FIELD.test(fields) ? FlowHeaders.fromFields(fields).getAll("proxy-authorization") : [];
  if (sent.length === 0) return "missing";
  const token = sent.length === 1 ? /^basic +([a-z0-9+/]+=*) *$/i.exec(sent[0]!)?.[1] : undefined;
  if (token === undefined) return "wrong";
  const pair = Buffer.from(token, "base64");
  const colon = pair.indexOf(0x3a);
  if (colon < 0) return "wrong";
  const [name, password] = [pair.subarray(0, colon), pair.subarray(colon + 1)];
  return sameCredentials(expected, name, password) ? { granted: name.toString() } : "wrong";
}

/** Field lines without Proxy-Authorization, which is for this proxy alone (RFC 9110 section 11.7.2). */
export function withoutAuth(fields: string): string {
  return FIELD.test(fields) ? fields.replace(LINES, "") : fields;
}

const FIELD = /^proxy-authorization:/im;
const LINES = /^proxy-authorization:.*\r\n/gim;
