/** How the shop is reached. */
export interface Options {
  fetch?: (url: string, init?: RequestInit) => Promise<Response>;
}

/** Takes orders as the old shop did, `product=2&quantity=3`, and passes them on as JSON. */
export function startApp({ fetch = globalThis.fetch }: Options = {}) {
  return Bun.serve({
    port: 0,
    routes: {
      "/order": {
        POST: async (request) => {
          const form = new URLSearchParams(await request.text());
          const line = { product: Number(form.get("product")), quantity: Number(form.get("quantity") ?? 1) };
          const answer = await fetch("http://api.shop.test/orders", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ lines: [line] }),
          });
          if (answer.status === 404) return new Response("We do not have that.", { status: 404 });
          const { cents } = await answer.json() as { cents: number };
          return new Response(`That makes ${(cents / 100).toFixed(2)} EUR.`);
        },
      },
    },
  });
}
