interface Product {
  name: string;
  cents: number;
}

/** The products of the shop with prices in a currency, the cheapest first. */
export async function priceList(
  currency: string,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<string[]> {
  const get = async <T>(path: string): Promise<T> => await (await fetch(`http://api.shop.test${path}`)).json() as T;
  const [products, rates] = await Promise.all([get<Product[]>("/products"), get<Record<string, number>>("/rates")]);
  const rate = rates[currency];
  if (rate === undefined) throw new Error(`no rate for ${currency}: there are ${Object.keys(rates).join(", ")}`);
  return products
    .toSorted((a, b) => a.cents - b.cents)
    .map(({ name, cents }) => `${name}: ${(cents * rate / 100).toFixed(2)} ${currency}`);
}
