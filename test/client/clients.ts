/**
 * The clients of a process: what a program may have that asks servers for something.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import http, { request as keptRequest } from "node:http";
import * as httpNamespace from "node:http";
import https, { request as keptSecureRequest } from "node:https";
import * as httpsNamespace from "node:https";
import axios from "axios";
import got from "got";
import ky from "ky";
import nodeFetch from "node-fetch";
import WS from "ws";

/** Gets a URL, and gives the body of the answer. */
export type Client = (url: string) => Promise<string>;

type Get = (url: string, options: https.RequestOptions, use: (it: http.IncomingMessage) => void) => http.ClientRequest;

/** With the functions of `node:http`, or those of `node:https`. */
export function byRequest(request: Get, options: https.RequestOptions = {}): Client {
  return (url) =>
    new Promise((resolve, reject) => {
      request(url, options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (data) => text += data).on("end", () => resolve(text));
      }).on("error", reject).end();
    });
}

const isSecure = (url: string) => url.startsWith("https:");
const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };

/** By name. */
export const CLIENTS: Readonly<Record<string, Client>> = {
  "fetch": async (url) => await (await fetch(url)).text(),
  "fetch of a Request": async (url) => await (await fetch(new Request(url))).text(),
  "node:http and node:https": (url) => byRequest(isSecure(url) ? https.request : http.request)(url),
  "their get": (url) => byRequest(isSecure(url) ? https.get : http.get)(url),
  "imported as namespaces": (url) => byRequest(isSecure(url) ? httpsNamespace.request : httpNamespace.request)(url),
  "by references that were kept": (url) => byRequest(isSecure(url) ? keptSecureRequest : keptRequest)(url),
  "with an agent of its own": (url) => {
    const agent = isSecure(url) ? agents.https : agents.http;
    return byRequest(isSecure(url) ? https.request : http.request, { agent })(url);
  },
  "without an agent": (url) => byRequest(isSecure(url) ? https.request : http.request, { agent: false })(url),
  "axios": async (url) => (await axios<string>(url)).data,
  "axios with fetch": async (url) => (await axios<string>(url, { adapter: "fetch" })).data,
  "got": async (url) => await got(url, { retry: { limit: 0 } }).text(),
  "ky": async (url) => await ky(url, { retry: 0 }).text(),
  "node-fetch": async (url) => await (await nodeFetch(url)).text(),
};

/** Opens a WebSocket, and gives the first message. */
export const SOCKETS: Readonly<Record<string, Client>> = {
  "WebSocket": (url) => firstMessage(new WebSocket(url)),
  "WebSocket with protocols": (url) => firstMessage(new WebSocket(url, ["v1", "v2"])),
  "ws": (url) =>
    new Promise((resolve, reject) => {
      const socket = new WS(url);
      let got = "";
      socket.on("error", reject).on("close", () => resolve(got)).on("message", (data) => {
        got = Buffer.from(data as Buffer).toString();
        socket.close();
      });
    }),
};

function firstMessage(socket: WebSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = "";
    socket.onerror = (event) => reject(new Error(`WebSocket: ${(event as ErrorEvent).message}`));
    socket.onclose = () => resolve(got);
    socket.onmessage = ({ data }) => {
      got = String(data);
      socket.close();
    };
  });
}
