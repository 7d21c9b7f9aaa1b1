/**
 * Files of a folder by the paths of requests; never one outside of it.
 *
 * @module
 */
import { realpath, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowRequest } from "../../flow/request.ts";
import { FlowResponse } from "../../flow/response.ts";
import { type FileHead, fileResponse } from "./file_response.ts";

/**
 * Answers with the file of a folder that a path leads to; with `index.html` where it leads to a folder. A path to a folder without a
 * slash at its end is redirected to the one with it, because links in the page count from there.
 *
 * @param path percent-encoded, as in a request: below the folder
 * @returns `undefined` when there is no such file
 * @throws {FlowtapeError} `RESPOND_FILE`: the folder is not there
 */
export async function folderResponse(
  request: FlowRequest,
  folder: string,
  path: string,
  head: FileHead = {},
): Promise<FlowResponse | undefined> {
  const root = await real(resolve(folder));
  if (root === undefined) {
    throw new FlowtapeError("RESPOND_FILE", `respond() cannot find its folder ${resolve(folder)}`);
  }
  const names = namesIn(path);
  if (names === undefined) return undefined;
  let found = await find(root, names);
  if (found?.isFolder) {
    // What counts is where the client is, whatever an addon has made of its path.
    if (!path.endsWith("/") && !new URL(request.originalUrl).pathname.endsWith("/")) return slashAdded(request);
    found = await find(root, [...names, "index.html"]);
  } else if (names.length > 0 && path.endsWith("/")) {
    return undefined;
  }
  return found === undefined || found.isFolder ? undefined : await fileResponse(request, found.path, head);
}

/** The names that a path consists of; `undefined` when one of them is no name in a folder. */
function namesIn(path: string): string[] | undefined {
  const names: string[] = [];
  for (const part of path.split("/")) {
    let name: string;
    try {
      // Once: what is encoded twice is a name with a percent sign.
      name = decodeURIComponent(part);
    } catch {
      return undefined;
    }
    if (/[/\\\0]/.test(name) || name === ".." || name === "." || sep === "\\" && name.includes(":")) return undefined;
    if (name !== "") names.push(name);
  }
  return names;
}

async function find(root: string, names: string[]): Promise<{ path: string; isFolder: boolean } | undefined> {
  // Links are followed first: what counts is where a file is, not what leads to it.
  const path = await real(join(root, ...names));
  if (path === undefined || path !== root && !path.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || !stats.isFile() && !stats.isDirectory()) return undefined;
  return { path, isFolder: stats.isDirectory() };
}

function real(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}

function slashAdded({ originalUrl }: FlowRequest): FlowResponse {
  const { pathname, search } = new URL(originalUrl);
  // Two slashes at the beginning would name another server.
  return FlowResponse.create({ status: 302, headers: { location: `${pathname.replace(/^\/+/, "/")}/${search}` } });
}
