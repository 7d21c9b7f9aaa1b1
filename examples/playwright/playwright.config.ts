import { defineConfig } from "@playwright/test";
import type { Fixtures } from "flowtape/playwright";

export default defineConfig<Fixtures>({
  testDir: "tests",
  fullyParallel: true,
  reporter: "list",
  use: {
    baseURL: "http://api.shop.test",
    launchOptions: { executablePath: process.env.CHROMIUM },
    // Where the shop is while tapes are recorded.
    proxyOptions: { upstream: { hosts: { "api.shop.test": "127.0.0.1:4820" } } },
  },
});
