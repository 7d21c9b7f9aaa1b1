/**
 * Points `node:http` and `node:https` at a proxy, and what is built on them.
 *
 * @module
 */
import type { Agent, ClientRequest, RequestOptions } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import process from "node:process";
import { isTunnelAgent } from "../agents.ts";
import type { Installation } from "./installation.ts";
import { replace } from "./replace.ts";

/**
 * Every request passes here whoever makes it, whatever reference to `http.request` was kept, and with whatever agent, unless it
 * brings a connection of its own. So the agents stay where they are, and what they keep is not touched.
 */
export function patchNodeHttp(current: () => Installation | undefined): () => void {
  const http = process.getBuiltinModule("node:http");
  const https = process.getBuiltinModule("node:https");
  const prototype = http.Agent.prototype as unknown as { addRequest: AddRequest };
  const undo = [
    replace(prototype, "addRequest", (original) =>
      function (this: Agent, request, options, ...rest) {
        const agent = agentFor(current(), this, request, options);
        return Reflect.apply(original, agent, [request, options, ...rest]);
      }),
    ...[http, https].flatMap((module) =>
      (["request", "get"] as const).map((name) =>
        replace(module as Requests, name, (original) =>
          function (this: unknown, ...args) {
            return Reflect.apply(original, this, current() === undefined ? args : withAgent(args));
          })
      )
    ),
  ];
  syncBuiltinESMExports();
  return () => {
    undo.forEach((it) => it());
    syncBuiltinESMExports();
  };
}

type AddRequest = (this: Agent, request: ClientRequest, options: RequestOptions, ...rest: unknown[]) => void;

type Requests = Record<"request" | "get", (...args: unknown[]) => unknown>;

function agentFor(
  installation: Installation | undefined,
  agent: Agent,
  request: ClientRequest,
  options: RequestOptions,
): Agent {
  // Who has chosen a proxy of flowtape gets it.
  if (installation === undefined || isTunnelAgent(agent)) return agent;
  const { socketPath, host, hostname, port, protocol } = options;
  if (socketPath) return agent;
  const asked = protocol ?? request.protocol ?? (agent as Agent & { protocol?: string }).protocol;
  const secure = asked === "https:";
  if (installation.isProxy(host ?? hostname ?? "localhost", Number(port ?? (secure ? 443 : 80)))) return agent;
  return installation.agentFor(agent, secure ? "https" : "http");
}

/**
 * ws makes its connections itself, and names no agent. Others who bring a connection mean that one.
 */
function withAgent(args: unknown[]): unknown[] {
  return args.map((it) => {
    if (typeof it !== "object" || it === null || it instanceof URL) return it;
    const { createConnection, agent, socketPath, headers } = it as RequestOptions;
    if (typeof createConnection !== "function" || agent || agent === false || socketPath) return it;
    return isWebSocket(headers) ? { ...it, createConnection: undefined } : it;
  });
}

function isWebSocket(headers: RequestOptions["headers"]): boolean {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) return false;
  return Object.entries(headers).some(([name, value]) =>
    name.toLowerCase() === "upgrade" && String(value).toLowerCase() === "websocket"
  );
}
