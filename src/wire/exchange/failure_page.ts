/**
 * What a client reads when the proxy itself has to answer.
 *
 * @module
 */
import { accepts } from "@std/http/negotiation";
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowResponse, reasonOf } from "../../flow/response.ts";

/**
 * The response that tells a client of a failure: as JSON or as a page where it asked for that, else as text.
 *
 * @param accept the value of its `Accept` field
 */
export function failureResponse(error: FlowError, status: number, accept: string | null): FlowResponse {
  const { type, body } = render(error, status, accept);
  return FlowResponse.create({
    status,
    headers: { "Content-Type": `${type}; charset=utf-8`, "X-Flowtape-Error": error.code },
    body,
  });
}

function render(error: FlowError, status: number, accept: string | null): { type: string; body: string } {
  switch (preferred(accept)) {
    case "application/json":
      return {
        type: "application/json",
        body: JSON.stringify({ error: { code: error.code, message: error.message } }, null, 2) + "\n",
      };
    case "text/html":
      return {
        type: "text/html",
        body: `<!doctype html>\n<meta charset="utf-8">\n<title>${status} ${escape(reasonOf(status))}</title>\n` +
          `<h1>${status} ${escape(reasonOf(status))}</h1>\n<p>${escape(error.message)}</p>\n` +
          `<p><code>${escape(error.code)}</code>, said by flowtape</p>\n`,
      };
    default:
      return { type: "text/plain", body: `flowtape: ${error.message}\n${error.code}\n` };
  }
}

function preferred(accept: string | null): string | undefined {
  if (accept === null) return undefined;
  return accepts(
    new Request("http://localhost", { headers: { accept } }),
    "text/plain",
    "application/json",
    "text/html",
  );
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
