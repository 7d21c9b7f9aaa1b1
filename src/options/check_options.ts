/**
 * Which options of a proxy are accepted.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { X509Certificate } from "node:crypto";
import { checkAlerter } from "../alerters/alerter.ts";
import { compile } from "../flow/matcher/compile.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { checkAddon } from "../hooks/check_addon.ts";
import { checkTapeOptions } from "../tape/options.ts";
import type { Application } from "../wire/app/application.ts";
import { pemBlocks } from "../wire/ca/pem.ts";
import { compileHosts } from "../wire/outbound/hosts.ts";
import { checkAuthOptions, checkClientCertificates } from "./credentials.ts";
import { compilePassthrough } from "./passthrough.ts";
import type { ProxyOptions } from "./proxy_options.ts";
import { type Check, flag, list, MAX_MS, oneOf, record, refuse, secret, shape, text, whole } from "./schema.ts";
import { checkNoProxy, checkPac, checkProxy, oneWayOut } from "./way_out.ts";

const tlsVersion: Check = oneOf("TLSv1.2", "TLSv1.3");

const matcher: Check = (value, where) => void compile(value as Matcher, `option ${where}`);

const certificates: Check = (value, where) => {
  text(value, where);
  const blocks = pemBlocks(value as string).filter(({ label }) => label === "CERTIFICATE");
  try {
    for (const block of blocks) new X509Certificate(block.text);
    if (blocks.length > 0) return;
  } catch {
    // Told below.
  }
  refuse(value, where, "the text of certificates in PEM (read the file first)");
};

const members: Readonly<Record<keyof ProxyOptions, Check>> = {
  host: text,
  port: whole(0, 65535),
  tape: (value, where) => typeof value === "string" ? text(value, where) : checkTapeOptions(value),
  // Rules and actions are checked by the rule engine, which compiles them.
  rules: list(() => {}),
  defaultAction: () => {},
  addons: list((value, where) => checkAddon(value, where)),
  https: shape({
    ca: checkCa,
    passthrough: (value, where) => void compilePassthrough(value as Matcher, `option ${where}`),
    minVersion: tlsVersion,
    requestClientCert: flag,
    keyLogFile: text,
  }),
  upstream: oneWayOut(shape({
    ca: (value, where) => typeof value === "string" ? certificates(value, where) : list(certificates)(value, where),
    verify: (value, where) => typeof value === "boolean" ? undefined : matcher(value, where),
    http2: flag,
    hosts: (value, where) => {
      record(text)(value, where);
      compileHosts(value as Record<string, string>);
    },
    proxy: checkProxy,
    noProxy: checkNoProxy,
    pac: checkPac,
    clientCertificates: checkClientCertificates,
    minVersion: tlsVersion,
    maxVersion: tlsVersion,
  })),
  auth: checkAuthOptions,
  app: (value, where) => {
    const { takes, answer } = (value ?? {}) as Partial<Application>;
    if (typeof takes !== "function" || typeof answer !== "function") {
      refuse(value, where, "what mount(handler) of flowtape/gateway makes");
    }
  },
  reverse: (value, where) => {
    const url = typeof value === "string" || value instanceof URL ? URL.parse(value) : null;
    if (url !== null && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === "") {
      return;
    }
    // Credentials in it are not shown.
    const shown = url === null ? value : url.origin;
    refuse(
      shown,
      where,
      'the URL of a server, such as "https://api.test/v1", without credentials, query and fragment,',
    );
  },
  capture: shape({ maxBody: whole(0), maxFlows: whole(0) }),
  timeouts: shape({
    connect: whole(1, MAX_MS),
    head: whole(1, MAX_MS),
    idle: whole(1, MAX_MS),
    hooks: whole(1, MAX_MS),
  }),
  limits: shape({ headBytes: whole(256, 16 * 1024 * 1024), connections: whole(1), keepAlive: whole(0) }),
  verbose: whole(0, 3),
  preFunction: (value, where) => {
    if (typeof value !== "function") refuse(value, where, "a function of the flow");
  },
  forwardChunked: flag,
  persistent: flag,
  alerter: (value, where) => {
    if (Array.isArray(value)) value.forEach((one, i) => checkAlerter(one, `option ${where}[${i}]`));
    else checkAlerter(value, `option ${where}`);
  },
  signal: (value, where) => {
    if (!(value instanceof AbortSignal)) refuse(value, where, "an AbortSignal");
  },
};

/** The name of every option. */
export const OPTION_NAMES: readonly string[] = Object.keys(members);

/**
 * Checks all of them.
 *
 * @throws {OptionsError} names the option, its value, and what is accepted
 */
export const checkProxyOptions: Check = (value, where) => {
  checkMembers(value, where);
  const { app, reverse } = value as ProxyOptions;
  if (app === undefined || reverse === undefined) return;
  throw new OptionsError(
    "options app and reverse exclude each other: both say what becomes of requests for the proxy itself",
  );
};

const checkMembers = shape(members);

function checkCa(value: unknown, where: string): void {
  shape({ dir: text, cert: text, key: secret })(value, where);
  const { dir, cert, key } = value as { dir?: string; cert?: string; key?: string };
  const complete = dir === undefined
    ? cert !== undefined && key !== undefined
    : cert === undefined && key === undefined;
  if (!complete) refuse(Object.keys(value as object), where, "{ dir } or { cert, key }");
}
