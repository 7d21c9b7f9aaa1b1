import { respond } from "flowtape";
import { expect, test } from "flowtape/playwright";

const cassette = { name: "Compact cassette, 90 minutes" };

test("a product can be bought", async ({ page, flowtape }) => {
  await page.goto("/");
  const products = page.getByRole("list", { name: "Products" }).getByRole("listitem");
  await expect(products).toHaveCount(3);
  await products.filter({ hasText: cassette.name }).getByRole("button", { name: "Buy" }).click();
  await expect(page.getByRole("status")).toHaveText("Ordered, thank you.");
  expect(flowtape).toHaveReceived({ method: "POST", path: "/orders", json: { lines: [{ product: 2, quantity: 1 }] } });
});

test("a shop that fails is no surprise", async ({ page, flowtape }) => {
  flowtape.use(["POST /orders", respond({ status: 500 })]);
  await page.goto("/");
  await page.getByRole("button", { name: "Buy" }).first().click();
  await expect(page.getByRole("status")).toHaveText("That did not work. Please try again.");
});

test("two customers do not see each other", async ({ page, flowtape, openContext }) => {
  const { context, proxy } = await openContext();
  const other = await context.newPage();
  await Promise.all([page.goto("/"), other.goto("/")]);
  await other.getByRole("button", { name: "Buy" }).last().click();
  await expect(other.getByRole("status")).toHaveText("Ordered, thank you.");
  expect(proxy).toHaveReceived("POST /orders");
  expect(flowtape).not.toHaveReceived("POST /orders");
});
