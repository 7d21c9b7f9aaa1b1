/**
 * Paths that applications are mounted at.
 *
 * @module
 */
import { type Check, refuse } from "../options/schema.ts";

/** A path: begins with a slash, has neither query nor fragment. */
export const checkPrefix: Check = (value, where) => {
  if (typeof value === "string" && /^\/[^?#\s]*$/.test(value)) return;
  refuse(value, where, 'a path such as "/shop"');
};
