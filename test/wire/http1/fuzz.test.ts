import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { mutate, REQUESTS, RESPONSES } from "./mutation.ts";
import { feed, pieces, randomFrom } from "./support.ts";

/** How many inputs each test makes: some hundred milliseconds' worth. */
const ROUNDS = 3000;

test.each([["request", REQUESTS], ["response", RESPONSES]] as const)(
  "mutated %s bytes give messages or a ProtocolError, the same however they are split",
  (kind, seeds) => {
    const random = randomFrom(1);
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = Buffer.from(mutate(seeds, random), "latin1");
      const setting = { asks: random() < 0.2 ? ["HEAD"] : random() < 0.1 ? ["CONNECT"] : [], closes: random() < 0.5 };
      const whole = JSON.stringify(feed(kind, [bytes], setting));
      const bytewise = JSON.stringify(feed(kind, pieces(bytes, () => 1), setting));
      const pieced = JSON.stringify(feed(kind, pieces(bytes, () => 1 + Math.floor(random() * 20)), setting));
      if (bytewise !== whole || pieced !== whole) {
        expect([bytewise, pieced, bytes.toString("latin1")]).toEqual([whole, whole, ""]);
      }
    }
  },
);

test.each(["request", "response"] as const)("random bytes for a %s give nothing or a ProtocolError", (kind) => {
  const random = randomFrom(2);
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 60) }, () => Math.floor(random() * 256)));
    expect(feed(kind, pieces(bytes, () => 1 + Math.floor(random() * 9)), { closes: true }).messages).toEqual([]);
  }
});
