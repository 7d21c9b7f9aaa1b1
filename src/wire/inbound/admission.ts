/**
 * Who may use the proxy: requests that do not authenticate are answered with 407, and go no further.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import type { Peer } from "../../flow/peer.ts";
import { FlowRequest, type RequestAddress } from "../../flow/request.ts";
import type { ClientStream } from "../exchange/client_stream.ts";
import { failureResponse } from "../exchange/failure_page.ts";
import { responseOut } from "../exchange/response_out.ts";
import type { RequestHead } from "../http1/head.ts";
import type { WireContext } from "../wire_context.ts";
import { challengeOf, checkAuth, UNAUTHORIZED, withoutAuth } from "./proxy_auth.ts";
import { reportFailed } from "./report_failed.ts";

/**
 * Whether a request for the proxy may pass. Wrong credentials are a flow that has failed; none at all are not, for that is how most
 * clients begin.
 *
 * @param addressOf where the request goes
 */
export function admits(
  context: WireContext,
  peer: Peer,
  head: RequestHead,
  addressOf: (head: RequestHead) => RequestAddress,
): boolean {
  const { auth } = context.config;
  if (auth === undefined) return true;
  // Who asks the proxy itself need not say for whom.
  if (auth.anyone !== undefined && head.version !== "2" && /^[/*]/.test(head.target)) return true;
  const result = checkAuth(auth, head.fields);
  if (typeof result === "object") {
    peer.username = result.granted;
    return true;
  }
  if (result === "wrong") {
    const address = addressOf(head);
    const headers = FlowHeaders.fromFields(withoutAuth(head.fields));
    const flow = new HttpFlow(
      new FlowRequest(head.method, address, head.version, headers, BodyBuffer.of(new Uint8Array(0))),
      peer,
    );
    flow.error = UNAUTHORIZED;
    context.log("warn", `refused ${peer.address}:${peer.port}: wrong credentials for the proxy (option auth)`);
    reportFailed(context, flow);
  } else {
    context.log("info", `asked ${peer.address}:${peer.port} to authenticate with the proxy (option auth)`);
  }
  return false;
}

/** Answers with 407. */
export function challenge(client: ClientStream & { readonly context: WireContext }, method: string): void {
  const page = failureResponse(UNAUTHORIZED, 407, null);
  page.headers.append("Proxy-Authenticate", challengeOf(client.context.config.auth!));
  const sink = client.respond(responseOut(page, undefined, method));
  const data = page.encodedBody;
  sink.data({ data, chunk: data.length, final: true });
  sink.end("");
  client.done();
}
