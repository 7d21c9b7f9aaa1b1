/**
 * The shop that the tapes of the examples were recorded from, and what records them anew:
 *
 *     node ../server.mjs <command that runs the tests>
 *
 * starts the shop, runs the tests with FLOWTAPE_MODE=record, and stops the shop. Whoever only runs the tests needs no server: they replay.
 */
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";

/** The examples reach it as http://api.shop.test, by the option `upstream.hosts`. */
const PORT = 4820;

const products = [
  { id: 1, name: "Compact cassette, 60 minutes", cents: 290 },
  { id: 2, name: "Compact cassette, 90 minutes", cents: 350 },
  { id: 3, name: "Splicing block", cents: 1900 },
];
const orders = [];

const routes = {
  "GET /": () => [200, page, "text/html; charset=utf-8"],
  "GET /products": () => [200, products],
  "GET /rates": () => [200, { EUR: 1, USD: 1.08, CHF: 0.94 }],
  "GET /orders": () => [200, orders],
  "POST /orders": async (request) => {
    const { lines } = await json(request);
    const known = lines.map(({ product, quantity }) => ({ quantity, ...products.find(({ id }) => id === product) }));
    if (known.some(({ id }) => id === undefined)) return [404, { error: "no such product" }];
    const order = {
      id: orders.length + 1,
      cents: known.reduce((sum, { cents, quantity }) => sum + cents * quantity, 0),
    };
    orders.push(order);
    return [201, order];
  },
  "POST /payments": async (request) => {
    const { order, card } = await json(request);
    return card.endsWith("0002") ? [402, { error: "declined" }] : [200, { order, paid: true }];
  },
};

const page = `<!doctype html>
<title>Tape shop</title>
<h1>Tape shop</h1>
<ul aria-label="Products"></ul>
<p role="status"></p>
<script type="module">
  const products = await (await fetch("/products")).json();
  const list = document.querySelector("ul");
  const status = document.querySelector("[role=status]");
  for (const { id, name, cents } of products) {
    const button = Object.assign(document.createElement("button"), { textContent: "Buy" });
    button.onclick = async () => {
      const lines = [{ product: id, quantity: 1 }];
      const response = await fetch("/orders", { method: "POST", body: JSON.stringify({ lines }) });
      status.textContent = response.ok ? "Ordered, thank you." : "That did not work. Please try again.";
    };
    const item = Object.assign(document.createElement("li"), { textContent: name + ", " + (cents / 100).toFixed(2) + " EUR " });
    item.append(button);
    list.append(item);
  }
</script>
`;

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://api.shop.test");
  const route = routes[`${request.method} ${pathname}`] ?? (() => [404, { error: "not found" }]);
  const [status, body, type = "application/json"] = await route(request);
  response.writeHead(status, { "content-type": type });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
});

const [command, ...args] = process.argv.slice(2);
server.listen(PORT, "127.0.0.1", () => {
  if (command === undefined) return console.log(`The shop listens on http://127.0.0.1:${PORT}`);
  const env = { ...process.env, FLOWTAPE_MODE: "record" };
  const tests = spawn(command, args, { env, stdio: "inherit" });
  tests.on("close", (code) => {
    process.exitCode = code ?? 1;
    server.closeAllConnections();
    server.close();
  });
});
