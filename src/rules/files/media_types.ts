/**
 * Media types by the extensions of file names.
 *
 * @module
 */
import { extname } from "node:path";

/** The media type of a file name; bytes of no known kind when the extension says nothing. */
export function mediaTypeOf(file: string): string {
  return MEDIA_TYPES[extname(file).slice(1).toLowerCase()] ?? "application/octet-stream";
}

const UTF8 = "; charset=utf-8";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  aac: "audio/aac",
  atom: "application/atom+xml",
  avif: "image/avif",
  bmp: "image/bmp",
  br: "application/x-brotli",
  cjs: `text/javascript${UTF8}`,
  css: `text/css${UTF8}`,
  csv: `text/csv${UTF8}`,
  eot: "application/vnd.ms-fontobject",
  flac: "audio/flac",
  gif: "image/gif",
  gz: "application/gzip",
  har: "application/json",
  htm: `text/html${UTF8}`,
  html: `text/html${UTF8}`,
  ico: "image/vnd.microsoft.icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: `text/javascript${UTF8}`,
  json: "application/json",
  jsonl: "application/jsonl",
  m3u8: "application/vnd.apple.mpegurl",
  m4a: "audio/mp4",
  map: "application/json",
  md: `text/markdown${UTF8}`,
  mjs: `text/javascript${UTF8}`,
  mkv: "video/matroska",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  mpd: "application/dash+xml",
  ndjson: "application/x-ndjson",
  oga: "audio/ogg",
  ogg: "audio/ogg",
  ogv: "video/ogg",
  otf: "font/otf",
  pdf: "application/pdf",
  png: "image/png",
  rss: "application/rss+xml",
  svg: "image/svg+xml",
  tar: "application/x-tar",
  tif: "image/tiff",
  tiff: "image/tiff",
  toml: "application/toml",
  ttf: "font/ttf",
  txt: `text/plain${UTF8}`,
  vtt: `text/vtt${UTF8}`,
  wasm: "application/wasm",
  wav: "audio/wav",
  weba: "audio/webm",
  webm: "video/webm",
  webmanifest: "application/manifest+json",
  webp: "image/webp",
  woff2: "font/woff2",
  woff: "font/woff",
  xhtml: "application/xhtml+xml",
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  zip: "application/zip",
  zst: "application/zstd",
};
