/**
 * The clients of the demo: three that have nothing in common but the proxy.
 *
 * @module
 */
import type { Proxy } from "../src/mod.ts";
import { run } from "../test/support/run.ts";
import { hasCommand } from "../test/support/runtime.ts";

/** One thing that a client does. */
export interface Visit {
  /** Who does it, and what it is. */
  readonly who: string;
  readonly what: string;
  /** Does it, and gives what the shop answered. */
  go(proxy: Proxy): Promise<string>;
}

// Every client says the same of itself on every machine, so that the tape in fixtures/ only changes when the demo does.
const AGENT = "flowtape-demo";

const PYTHON = `
import sys, urllib.request
request = urllib.request.Request("https://shop.test/orders/latest", headers={"User-Agent": "${AGENT}"})
sys.stdout.write(urllib.request.urlopen(request).read().decode())
`;

/** The visits, in order; those of programs that are not installed are left out. */
export const visits: readonly Visit[] = [
  {
    who: "fetch",
    what: "GET  https://shop.test/products",
    go: async (proxy) => {
      const response = await proxy.fetch("https://shop.test/products", { headers: { "user-agent": AGENT } });
      return response.text();
    },
  },
  {
    who: "fetch",
    what: "POST https://shop.test/orders",
    go: async (proxy) => {
      const response = await proxy.fetch("https://shop.test/orders", {
        method: "POST",
        headers: { "user-agent": AGENT, "content-type": "application/json", authorization: "Bearer not-for-the-tape" },
        body: JSON.stringify({ lines: [{ product: 2, quantity: 3 }] }),
      });
      return response.text();
    },
  },
  ...(hasCommand("curl")
    ? [{
      who: "curl",
      what: "GET  https://shop.test/products",
      go: (proxy: Proxy) => output(proxy, "curl", "-sS", "--compressed", "-A", AGENT, "https://shop.test/products"),
    }]
    : []),
  ...(hasCommand("python3")
    ? [{
      who: "python3",
      what: "GET  https://shop.test/orders/latest",
      go: (proxy: Proxy) => output(proxy, "python3", "-c", PYTHON),
    }]
    : []),
];

async function output(proxy: Proxy, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, { env: proxy.env() });
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
  return stdout;
}
