import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = {
  resolve: { tsconfigPaths: true },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/*.deno.test.ts", "**/*.bun.test.ts"],
    pool: "forks",
    // As in test/support/poll.ts.
    expect: { poll: { timeout: 10_000 } },
  },
};

export default config;
