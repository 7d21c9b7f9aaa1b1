/** Connections of every kind, each in the middle of something: those that the tests close a proxy with. */
import type { Proxy } from "../../src/mod.ts";
import { CROWD_KINDS, startCrowd } from "../../test/support/crowd.ts";
import type { Endpoint } from "./connect.ts";

export interface Crowd {
  /** What the proxy must know of the servers. */
  readonly surroundings: { readonly ca: string; readonly hosts: Record<string, string>; readonly stuckProxy: string };
  come(o: { endpoint: Endpoint; ofEach: number }): Promise<{ clients: number; kinds: number }>;
  /** Resolves when the proxy has closed every connection. */
  disperse(): Promise<void>;
}

export async function gather(): Promise<Crowd> {
  const crowd = await startCrowd();
  const { ca, hosts, proxy } = crowd.options.upstream!;
  const stuckProxy = (proxy as (flow: { request: { hostname: string } }) => string)({
    request: { hostname: "stuck.test" },
  });
  return {
    surroundings: { ca: ca as string, hosts: hosts as Record<string, string>, stuckProxy },
    async come({ endpoint, ofEach }) {
      // All that a client looks at.
      await crowd.come({ port: endpoint.port, ca: { cert: endpoint.ca } } as unknown as Proxy, ofEach);
      return { clients: crowd.clients.length, kinds: CROWD_KINDS.length };
    },
    async disperse() {
      await Promise.all(crowd.clients.map(({ connection }) => connection.closed));
      await crowd[Symbol.asyncDispose]();
    },
  };
}
