/** mockttp as its documentation shows it, in the quickest way it has to do each job. */
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import {
  type CompletedRequest,
  type CompletedResponse,
  generateCACertificate,
  getLocal,
  type Mockttp,
  type RequestRuleBuilder,
  type WebSocketMessage,
} from "mockttp";
import { bodyFor, itemPath } from "../payload.ts";
import type { Contender, Job, Surroundings } from "./contender.ts";

let server: Mockttp;
const requests: CompletedRequest[] = [];
const responses: CompletedResponse[] = [];
const messages: WebSocketMessage[] = [];
/** One for the process, as for flowtape: making it is measured by the scenario about starting. */
const authority = generateCACertificate();

export const contender: Contender = {
  async start(job: Job, surroundings: Surroundings) {
    const https = await authority;
    server = getLocal({ https, http2: job.kind === "record" && job.http2 === true, ...optionsFor(job) });
    await server.start(0);
    await addRules(job, surroundings);
    return { port: server.port, ca: https.cert };
  },
  seen: () => messages.length || Math.min(requests.length, responses.length),
  reset,
  async stop() {
    await server.stop();
    reset();
  },
};

function reset(): void {
  for (const kept of [requests, responses, messages]) kept.length = 0;
}

/** Its own record holds requests only, so exchanges are kept through its events, and not twice. */
function optionsFor(job: Job): { recordTraffic?: boolean; maxBodySize?: number } {
  if (job.kind === "record") return { recordTraffic: false };
  if (job.kind === "websocket") return { recordTraffic: false };
  if (job.kind === "stream") {
    return { recordTraffic: false, maxBodySize: job.maxBody };
  }
  return {};
}

async function addRules(job: Job, surroundings: Surroundings): Promise<void> {
  switch (job.kind) {
    case "record":
      // Its own option for this, additionalTrustedCAs, makes it three times slower over TLS.
      setDefaultCACertificates([...getCACertificates("default"), surroundings.originCa]);
      await server.on("request", (request) => requests.push(request));
      await server.on("response", (response) => responses.push(response));
      await server.forAnyRequest().thenPassThrough();
      break;
    case "websocket":
      await server.on("websocket-message-received", (message) => messages.push(message));
      await server.on("websocket-message-sent", (message) => messages.push(message));
      await server.forAnyWebSocket().thenPassThrough();
      break;
    case "stream":
      await server.forAnyRequest().thenPassThrough();
      break;
    case "respond":
      for (let index = 0; index < job.paths; index++) {
        await addAnswer(server.forGet(job.origin + itemPath(index)), itemPath(index));
      }
      break;
    case "respondAny":
      await addAnswer(server.forAnyRequest(), job.path);
      break;
    default:
      throw new Error(`mockttp cannot "${job.kind}"`);
  }
}

/** Headers of one's own replace all that it would send, the length as well. */
function addAnswer(rule: RequestRuleBuilder, path: string): Promise<unknown> {
  const body = bodyFor(path);
  return rule.thenReply(200, body, {
    "content-type": "text/plain",
    "content-length": String(body.length),
  });
}
