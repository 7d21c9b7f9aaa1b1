/**
 * Ready matchers for what pages load besides their data.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { CompiledMatcher } from "../flow/matcher/types.ts";
import { essence } from "../flow/media_type.ts";

/** A kind of what pages load. */
interface Kind {
  /** Extensions of paths, without the dot. */
  readonly extensions: readonly string[];
  /** What a browser says that it wants (Sec-Fetch-Dest of Fetch Metadata). */
  readonly destinations: readonly string[];
  /** Media types, of a response, or first in Accept. */
  readonly type: RegExp;
}

/** Every destination that says for certain what is wanted; `empty` (fetch) and `document` do not. */
const CERTAIN =
  /^(?:image|script|worker|sharedworker|serviceworker|audioworklet|paintworklet|style|xslt|font|audio|video|track)$/;

/**
 * Pictures. As all matchers for assets it takes a GET or HEAD whose `Sec-Fetch-Dest` says so, whose path has such an extension, or whose
 * `Accept` begins with such a type; and when the response is there, one of such a type.
 *
 * @example
 * ```ts
 * import { fonts, images, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [[images, "drop"], [fonts, "drop"]] });
 * ```
 */
export const images: CompiledMatcher = assets("images", {
  extensions: ["png", "jpg", "jpeg", "gif", "ico", "svg", "webp", "avif", "bmp", "apng", "tif", "tiff", "jxl", "heic"],
  destinations: ["image"],
  type: /^image\//,
});

/** Scripts, those of workers too; see {@linkcode images}. */
export const scripts: CompiledMatcher = assets("scripts", {
  extensions: ["js", "mjs", "cjs"],
  destinations: ["script", "worker", "sharedworker", "serviceworker", "audioworklet", "paintworklet"],
  type: /^(?:text|application)\/(?:x-)?(?:javascript|ecmascript)$/,
});

/** Style sheets; see {@linkcode images}. */
export const styles: CompiledMatcher = assets("styles", {
  extensions: ["css"],
  destinations: ["style", "xslt"],
  type: /^text\/css$/,
});

/** Fonts; see {@linkcode images}. */
export const fonts: CompiledMatcher = assets("fonts", {
  extensions: ["woff", "woff2", "ttf", "otf", "eot"],
  destinations: ["font"],
  type: /^(?:font\/|application\/(?:x-)?font-|application\/vnd\.ms-fontobject)/,
});

/** Sound and video, with their subtitles; see {@linkcode images}. */
export const media: CompiledMatcher = assets("media", {
  extensions: ["mp3", "ogg", "oga", "wav", "flac", "m4a", "aac", "mp4", "m4v", "webm", "ogv", "mov", "m3u8", "vtt"],
  destinations: ["audio", "video", "track"],
  type: /^(?:audio|video)\//,
});

function assets(description: string, kind: Kind): CompiledMatcher {
  const extension = new RegExp(`\\.(?:${kind.extensions.join("|")})$`, "i");
  return {
    description,
    matches(flow: Flow): boolean {
      if (flow.type !== "http") return false;
      const { request, response } = flow;
      if (request.method !== "GET" && request.method !== "HEAD") return false;
      const destination = request.headers.get("sec-fetch-dest")?.toLowerCase() ?? "";
      if (CERTAIN.test(destination)) return kind.destinations.includes(destination);
      if (extension.test(request.path)) return true;
      // Of a navigation the first type is HTML, although pictures are welcome too.
      const wanted = essence(request.headers.get("accept")?.split(",", 1)[0]);
      return kind.type.test(wanted) ||
        response !== undefined && kind.type.test(essence(response.headers.get("content-type")));
    },
  };
}
