import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = {
  resolve: { tsconfigPaths: true },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/*.deno.test.ts", "**/*.bun.test.ts"],
    pool: "forks",
  },
};

export default config;
