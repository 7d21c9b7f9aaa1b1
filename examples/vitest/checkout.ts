/** What the customer wants. */
export interface Cart {
  lines: { product: number; quantity: number }[];
  card: string;
}

/** How it went. */
export type Receipt = { order: number; cents: number; paid: boolean };

/** Orders what is in the cart, and pays. A shop that is busy is asked three times. */
export async function checkout(cart: Cart, { fetch = globalThis.fetch, token = "" } = {}): Promise<Receipt> {
  const post = async (path: string, body: unknown): Promise<Response> => {
    for (let attempt = 1;; attempt++) {
      const response = await fetch(`http://api.shop.test${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      });
      if (response.status !== 503 || attempt === 3) return response;
      await response.body?.cancel();
    }
  };
  const order = await post("/orders", { lines: cart.lines });
  if (!order.ok) throw new Error(`the shop is closed: ${order.status}`);
  const { id, cents } = await order.json() as { id: number; cents: number };
  const payment = await post("/payments", { order: id, card: cart.card });
  await payment.body?.cancel();
  return { order: id, cents, paid: payment.ok };
}
