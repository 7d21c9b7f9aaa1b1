import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { respond } from "flowtape";
import { test } from "flowtape/node";

// Where the shop is while tapes are recorded.
const upstream = { hosts: { "api.shop.test": "127.0.0.1:4820" } };

/** Runs the program with a list, behind the proxy. */
async function stock(proxy, list) {
  const program = spawn("python3", ["stock.py"], { cwd: import.meta.dirname, env: proxy.env(process.env) });
  program.stdin.end(list);
  const [stdout, stderr] = await Promise.all([text(program.stdout), text(program.stderr)]);
  return { stdout: stdout.trim(), stderr: stderr.trim() };
}

test("orders every line", { upstream }, async (t) => {
  const { stdout } = await stock(t.proxy, "10 x 1\n2 x 3\n");
  t.assert.strictEqual(stdout, "67.00 EUR");
  t.assert.receivedInOrder(t.proxy, [
    { json: { lines: [{ product: 1, quantity: 10 }] } },
    { json: { lines: [{ product: 3, quantity: 2 }] } },
  ]);
});

test("goes on when a product is gone", { upstream }, async (t) => {
  t.proxy.use([{ json: { lines: [{ product: 1 }] } }, respond({ status: 410 })]);
  const { stdout, stderr } = await stock(t.proxy, "10 x 1\n2 x 3\n");
  t.assert.deepStrictEqual([stdout, stderr], ["38.00 EUR", "product 1: 410"]);
});
