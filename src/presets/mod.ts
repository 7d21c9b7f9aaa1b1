/**
 * Ready matchers and lists.
 *
 * @module
 */
export { fonts, images, media, scripts, styles } from "./assets.ts";
export { tlsBypass } from "./tls_bypass.ts";
