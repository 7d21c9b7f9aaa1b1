/**
 * In the page: `node:zlib`. What is in a report has been decoded already.
 *
 * @module
 */
export default {};
