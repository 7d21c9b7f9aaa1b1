import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/*.deno.test.ts", "**/*.bun.test.ts"],
    pool: "forks",
  },
});
