/**
 * In the page: `node:process`.
 *
 * @module
 */
export default { env: {} };
