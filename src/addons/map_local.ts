/**
 * Files in the place of a server.
 *
 * @module
 */
import { statSync } from "node:fs";
import { OptionsError } from "../flow/error.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import type { Addon } from "../hooks/addon.ts";
import { noFile } from "../rules/actions/file_answer.ts";
import { checkObject } from "../rules/check.ts";
import { fileResponse } from "../rules/files/file_response.ts";
import { folderResponse } from "../rules/files/folder.ts";
import { compileStart, type UrlStart } from "./url_prefix.ts";

/** How {@linkcode mapLocal} does it. */
export interface MapLocalOptions {
  /** What becomes of a request for which the folder has no file: `"404"` (the default), or it is sent to the server (`"forward"`). */
  missing?: "404" | "forward";
}

/**
 * Answers what begins with a URL from a file or a folder: in a folder, the rest of the path leads to the file, and `index.html` stands for a
 * folder. Never a file outside of the folder, whatever the path or a link says. Files are read each time, as with `respond({ file })`.
 *
 * @param from the beginning of URLs, or an expression that is looked for in them: the path goes on behind it
 * @param to a file, or a folder
 * @throws {OptionsError} there is no such file or folder
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { mapLocal } from "flowtape/addons";
 *
 * await using proxy = await startProxy({
 *   addons: [mapLocal("https://cdn.test/docs/", "docs", { missing: "forward" })],
 * });
 * (await proxy.fetch("https://cdn.test/docs/README.md")).headers.get("content-type"); // "text/markdown; charset=utf-8"
 * ```
 */
export function mapLocal(from: UrlStart, to: string, options: MapLocalOptions = {}): Addon {
  const rest = compileStart(from, "mapLocal()");
  checkObject(options, ["missing"], "the options of mapLocal()");
  const { missing = "404" } = options as MapLocalOptions;
  if (missing !== "404" && missing !== "forward") {
    throw new OptionsError(`missing of mapLocal() is ${describeValue(missing)}: "404" or "forward" is accepted`);
  }
  if (typeof to !== "string" || to === "") {
    throw new OptionsError(`mapLocal() maps to the path of a file or folder, not to ${describeValue(to)}`);
  }
  const stats = statSync(to, { throwIfNoEntry: false });
  if (stats === undefined) throw new OptionsError(`mapLocal() maps to a file or folder, and there is none at ${to}`);
  const isFile = stats.isFile();
  return {
    name: "mapLocal",
    async requestHeaders(flow) {
      if (flow.response !== undefined || flow.error !== undefined) return;
      const { request } = flow;
      const path = rest(request.url);
      if (path === undefined) return;
      if (isFile) {
        flow.response = await fileResponse(request, to);
        return;
      }
      const found = await folderResponse(request, to, path === "" || path.startsWith("/") ? path : `/${path}`);
      if (found !== undefined) flow.response = found;
      else if (missing === "404") flow.response = noFile(request.path);
    },
  };
}
