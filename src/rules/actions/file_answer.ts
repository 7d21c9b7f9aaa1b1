/**
 * Answers a flow with a file, or a file of a folder.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowResponse } from "../../flow/response.ts";
import { fileResponse } from "../files/file_response.ts";
import { folderResponse } from "../files/folder.ts";
import type { Respond } from "./response_shape.ts";

/** Whether the body of a response is a file. */
export function isFromDisk({ file, folder }: Respond): boolean {
  return file !== undefined || folder !== undefined;
}

/** Answers with the file, or with the file of the folder that the path leads to. */
export async function answerFromDisk(flow: HttpFlow, response: Respond): Promise<void> {
  const { file, folder, strip = "" } = response;
  const { request } = flow;
  if (file !== undefined) {
    flow.response = await fileResponse(request, file, response);
    return;
  }
  const path = belowPrefix(request.path, strip);
  flow.response = (path === undefined ? undefined : await folderResponse(request, folder!, path, response)) ??
    noFile(request.path);
}

/** What comes behind a prefix that ends where a name ends; `undefined` when the path does not begin with it. */
export function belowPrefix(path: string, prefix: string): string | undefined {
  const plain = prefix.replace(/\/+$/, "");
  if (!path.startsWith(plain)) return undefined;
  const rest = path.slice(plain.length);
  return rest === "" || rest.startsWith("/") ? rest : undefined;
}

/** The answer where a folder has no file for a path. */
export function noFile(path: string): FlowResponse {
  const headers = { "content-type": "text/plain; charset=utf-8" };
  return FlowResponse.create({ status: 404, headers, body: `The folder has no file for ${path}.\n` });
}
