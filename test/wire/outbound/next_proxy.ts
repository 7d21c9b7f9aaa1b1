/** Servers, a flowtape proxy that knows their names, and what it saw: the next proxy on the way of the one under test. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { HttpFlow, Proxy, ProxyOptions } from "../../../src/mod.ts";
import { startProxy } from "../../../src/mod.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";

/** The next proxy and what is behind it. */
export interface Next extends AsyncDisposable {
  /** `http://shop.test` and whatever else ends in `.test`. */
  readonly plain: Origin;
  /** `https://secure.test`. */
  readonly secure: Origin;
  readonly proxy: Proxy;
  /** Its URL, with credentials if it wants some. */
  readonly url: string;
  /** What went through it: "GET http://shop.test/a". */
  readonly passed: string[];
}

/** Starts everything; names that end in `.test` are known to the next proxy alone. */
export async function startNext(options: ProxyOptions = {}): Promise<Next> {
  const plain = await startOrigin(() => ({ body: "plain" }));
  const secure = await startOrigin(() => ({ body: "secure" }), { tls: true });
  const proxy = await startProxy({
    ...options,
    upstream: {
      ca: secure.ca,
      hosts: { "*.test": `127.0.0.1:${plain.port}`, "secure.test": `127.0.0.1:${secure.port}` },
    },
  });
  const { username, password } = options.auth ?? {};
  const userinfo = username === undefined ? "" : `${encodeURIComponent(username)}:${encodeURIComponent(password!)}@`;
  return {
    plain,
    secure,
    proxy,
    url: `http://${userinfo}127.0.0.1:${proxy.port}`,
    get passed() {
      return [...proxy.flows].map((flow) => `${(flow as HttpFlow).request.method} ${(flow as HttpFlow).request.url}`);
    },
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await Promise.all([plain[Symbol.asyncDispose](), secure[Symbol.asyncDispose]()]);
    },
  };
}

/** Status and body. */
export async function get(proxy: Proxy, url: string): Promise<string> {
  const response = await proxy.fetch(url);
  return `${response.status} ${await response.text()}`;
}

/** The newest flow. */
export function lastFlow(proxy: Proxy): HttpFlow {
  return proxy.flows.last() as HttpFlow;
}

/** A port of this machine on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
