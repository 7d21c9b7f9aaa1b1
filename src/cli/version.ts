/**
 * Which version this is. A package on JSR has no package.json to read it from; a test compares the two.
 *
 * @module
 */

/** The version of the package. */
export const VERSION = "0.1.0";
