/** flowtape, as its users run it: the built package through its public face. */
import type * as Flowtape from "../../src/mod.ts";
import { bodyFor, itemPath } from "../payload.ts";
import type { Contender, Job, Surroundings } from "./contender.ts";

let proxy: Flowtape.Proxy;
let webSockets = false;

export const contender: Contender = {
  async start(job: Job, surroundings: Surroundings) {
    const flowtape: typeof Flowtape = await import(surroundings.flowtape);
    proxy = await flowtape.startProxy({
      upstream: { ca: surroundings.originCa },
      ...optionsFor(job, flowtape),
    });
    webSockets = job.kind === "websocket";
    return { port: proxy.port, ca: proxy.ca.cert };
  },
  seen: () => webSockets ? messages() : proxy.flows.length,
  reset: () => proxy.reset(),
  stop: () => proxy.close(),
};

function messages(): number {
  let count = 0;
  for (const flow of proxy.flows) {
    const { websocket } = flow as Flowtape.HttpFlow;
    count += (websocket?.messages.length ?? 0) + (websocket?.omitted ?? 0);
  }
  return count;
}

/** The other contenders keep all they see, so flowtape does as well. */
const EVERYTHING = 1_000_000;

function optionsFor(job: Job, { respond }: typeof Flowtape): Flowtape.ProxyOptions {
  const answer = (path: string) => respond({ headers: { "content-type": "text/plain" }, body: bodyFor(path) });
  switch (job.kind) {
    case "record":
      return {
        capture: { maxFlows: EVERYTHING },
        ...(job.tape ? { tape: { path: job.tape, mode: "record" } } : {}),
      };
    case "websocket":
      return {};
    case "tunnel":
      return { https: { passthrough: () => true } };
    case "stream":
      return { capture: { maxBody: job.maxBody } };
    case "respond":
      return {
        rules: Array.from({ length: job.paths }, (_, index) => {
          const path = itemPath(index);
          return [`GET ${job.origin}${path}`, answer(path)] as const;
        }),
      };
    case "respondAny":
      return { rules: [[() => true, answer(job.path)]] };
    case "replay":
      return { tape: { path: job.tape, mode: "replay" } };
    case "crowd":
      return {
        upstream: {
          ca: job.ca,
          hosts: job.hosts,
          proxy: ({ request }) => request.hostname.endsWith("stuck.test") ? job.stuckProxy : undefined,
        },
      };
  }
}
