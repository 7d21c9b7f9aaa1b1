import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import type { Side } from "../../../src/flow/websocket.ts";
import { deflate } from "../../../src/wire/websocket/deflate.ts";
import { pieces, randomFrom } from "../http1/support.ts";
import { frame, type FrameSpec, parse, type Step, talk } from "./support.ts";

/** How many inputs each test makes: some hundred milliseconds' worth. */
const ROUNDS = 1500;
const SIDE = { windowBits: 15, takeover: true };

type Random = () => number;
const upTo = (random: Random, limit: number) => Math.floor(random() * limit);
const pick = <T>(random: Random, items: readonly T[]): T => items[upTo(random, items.length)]!;

/** A few messages and control frames as one side might send them. */
function conversationOf(random: Random): FrameSpec[] {
  const specs: FrameSpec[] = [];
  for (let count = 1 + upTo(random, 4); count > 0; count--) {
    if (random() < 0.3) specs.push({ opcode: pick(random, ["ping", "pong"]), payload: "p".repeat(upTo(random, 126)) });
    const text = pick(random, ["", "a", "h\u00e9llo", "\u20ac\ud83d\ude00", "x".repeat(130)]);
    const compressed = random() < 0.3;
    const payload = compressed ? deflate(Buffer.from(text), 15) : Buffer.from(text);
    const parts = 1 + upTo(random, 3);
    let at = 0;
    for (let i = 0; i < parts; i++) {
      const end = i === parts - 1 ? payload.length : at + upTo(random, payload.length - at + 1);
      specs.push({
        opcode: i > 0 ? "more" : pick(random, ["text", "binary"]),
        rsv: i === 0 && compressed ? 4 : 0,
        fin: i === parts - 1,
        payload: payload.subarray(at, end),
      });
      at = end;
      if (i < parts - 1 && random() < 0.3) specs.push({ opcode: "ping" });
    }
  }
  if (random() < 0.5) specs.push({ opcode: "close", payload: pick(random, ["", "\x03\u0000", "x", "\x0f\x0freason"]) });
  return specs;
}

function mutate(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let count = upTo(random, 3); count > 0; count--) {
    if (copy.length > 0) copy[upTo(random, copy.length)] = random() < 0.5 ? upTo(random, 256) : upTo(random, 16);
  }
  if (random() < 0.2) return copy.subarray(0, upTo(random, copy.length));
  return copy;
}

test("mutated conversations give messages, an error or nothing, the same however they are split", () => {
  const random = randomFrom(21);
  let errors = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const script: Step[] = [];
    for (const from of ["client", "server"] as const) {
      const bytes = Buffer.concat(conversationOf(random).map((spec) => frame(from, spec)));
      script.push([from, mutate(bytes, random)], (it) => it.finish(from));
    }
    const options = random() < 0.7 ? { deflate: { client: SIDE, server: SIDE } } : {};
    const decide = (message: { text: string; drop(): void; data: string | Uint8Array }) => {
      if (message.text.startsWith("a")) message.drop();
      else if (message.text.startsWith("h")) message.data = "edited";
    };
    const sum = (cut: (bytes: Uint8Array) => Uint8Array[]) => {
      const { told, toClient, toServer } = talk(script, { ...options, decide, cut });
      return JSON.stringify([told, toClient, toServer]);
    };
    const whole = sum((bytes) => [bytes]);
    const cuts = [
      sum((bytes) => pieces(bytes, () => 1)),
      sum((bytes) => pieces(bytes, () => 1 + upTo(random, 20))),
    ];
    if (whole.includes("WS_")) errors++;
    if (cuts.some((it) => it !== whole)) expect([...cuts, script]).toEqual([whole, whole, script]);
  }
  // Both kinds of outcome have been seen.
  expect(errors).toBeGreaterThan(ROUNDS / 10);
  expect(errors).toBeLessThan(ROUNDS * 0.9);
});

test("what passes untouched is what was sent", () => {
  const random = randomFrom(22);
  for (let round = 0; round < ROUNDS / 3; round++) {
    const from = pick<Side>(random, ["client", "server"]);
    const specs = conversationOf(random).filter((it) => it.opcode !== "close");
    const bytes = Buffer.concat(specs.map((spec) => frame(from, spec)));
    const options = {
      deflate: { client: SIDE, server: SIDE },
      cut: (it: Uint8Array) => pieces(it, () => 1 + upTo(random, 50)),
    };
    const sent = parse(from, [bytes], { deflate: true });
    const isControl = (it: string) => /^p[io]ng/.test(it);
    const passed = (holdBytes?: number) => {
      const { toClient, toServer } = talk([[from, bytes]], {
        ...options,
        ...(holdBytes !== undefined && { holdBytes }),
      });
      return from === "client" ? toServer : toClient;
    };
    // Held, a message lets control frames overtake it; passing, nothing changes its place.
    const held = passed();
    expect(held.filter(isControl)).toEqual(sent.filter(isControl));
    expect(held.filter((it) => !isControl(it))).toEqual(sent.filter((it) => !isControl(it)));
    expect(passed(0)).toEqual(sent);
  }
});

test("random bytes end in an error or wait for more", () => {
  const random = randomFrom(23);
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = Buffer.from(Array.from({ length: 1 + upTo(random, 60) }, () => upTo(random, 256)));
    for (const from of ["client", "server"] as const) {
      const whole = parse(from, [bytes]);
      const split = parse(from, pieces(bytes, () => 1 + upTo(random, 9)));
      if (JSON.stringify(whole) !== JSON.stringify(split)) expect(split).toEqual(whole);
    }
  }
});
