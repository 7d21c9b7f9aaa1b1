/**
 * undici, as two versions have it.
 *
 * @module
 */
import * as undici from "undici";
import * as undici8 from "undici8";
import type { Client } from "./clients.ts";

/** By name. */
export const UNDICI: Readonly<Record<string, Client>> = {
  "undici.fetch": async (url) => await (await undici.fetch(url)).text(),
  "undici.request": async (url) => await (await undici.request(url)).body.text(),
  "fetch of another version": async (url) => await (await undici8.fetch(url)).text(),
  "request of another version": async (url) => await (await undici8.request(url)).body.text(),
};
