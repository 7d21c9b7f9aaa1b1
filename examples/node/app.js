import { createServer } from "node:http";

/** A page with the products of the shop, or an excuse. */
export function createApp({ fetch = globalThis.fetch } = {}) {
  return createServer(async (request, response) => {
    try {
      const answer = await fetch("http://api.shop.test/products", { signal: AbortSignal.timeout(500) });
      if (!answer.ok) throw new Error(`the shop said ${answer.status}`);
      const items = (await answer.json()).map(({ name }) => `<li>${name}</li>`);
      response.end(`<ul>${items.join("")}</ul>`);
    } catch {
      response.writeHead(503, { "retry-after": "10" }).end("The shop takes a break.");
    }
  });
}
