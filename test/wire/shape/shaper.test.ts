/**
 * What a shaper does with bytes, told by a clock that the test moves.
 */
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/flow/random.ts";
import type { BreakStage, Stage } from "../../../src/flow/shape.ts";
import { Shaper } from "../../../src/wire/shape/shaper.ts";
import { FakeClock } from "./fake_clock.ts";

/** A shaper, and what it has passed on: `time what`. */
function shaped(stages: Stage[], { total, head = false, slots = Infinity }: {
  total?: number;
  head?: boolean;
  slots?: number;
} = {}) {
  const clock = new FakeClock();
  const log: string[] = [];
  let room = slots;
  let drain: (() => void) | undefined;
  const note = (what: string) => void log.push(`${Math.round(clock.now())} ${what}`);
  const sink = {
    data: ({ data }: { data: Uint8Array }) => {
      note(String(data.length));
      return --room > 0;
    },
    end: (trailers: string) => note(`end${trailers}`),
  };
  const shaper: Shaper = new Shaper(stages, {
    open() {
      note("head");
      shaper.attach(sink, { total });
    },
    drained: (callback) => void (drain = callback),
    fired: (stage) => note(`fired ${stage.code}`),
    broken: (stage) => note(`broken ${stage.code}`),
  }, clock);
  if (head) shaper.start();
  else shaper.attach(sink, { total });
  return {
    clock,
    log,
    shaper,
    send: (bytes: number, chunk = 0) => shaper.data({ data: new Uint8Array(bytes), chunk, final: true }),
    take(more: number) {
      room = more;
      drain?.();
    },
    bytes: () => log.reduce((sum, line) => sum + (Number(line.split(" ")[1]) || 0), 0),
  };
}

const breakAt = (at: BreakStage["at"], more: Partial<BreakStage> = {}): BreakStage => ({
  kind: "break",
  at,
  silence: 0,
  cut: { end: "close", scope: "stream" },
  code: "FAULT_LIMIT",
  description: "limit",
  ...more,
});

describe("rate", () => {
  test("a body takes its length divided by the rate, in pieces, and the end behind it", () => {
    const { clock, log, send, shaper } = shaped([{ kind: "rate", bytesPerSecond: 1000 }]);
    send(100);
    shaper.end("");
    clock.advance(60_000);
    expect(log).toEqual(["25 25", "50 25", "75 25", "100 25", "100 end"]);
  });

  test("one byte a minute", () => {
    const { clock, log, send } = shaped([{ kind: "rate", bytesPerSecond: 1 / 60 }]);
    send(2);
    clock.advance(119_999);
    expect(log).toEqual(["60000 1"]);
    clock.advance(1);
    expect(log).toEqual(["60000 1", "120000 1"]);
  });

  test("holds up who sends: no more than 64 KiB wait", () => {
    const { clock, send, shaper, bytes } = shaped([{ kind: "rate", bytesPerSecond: 10_000 }]);
    let sent = 0;
    let more = true;
    const push = () => {
      for (more = true; more && sent < 1_000_000; sent += 1000) more = send(1000);
      if (!more) shaper.drained(push);
    };
    push();
    let most = 0;
    for (let i = 0; i < 2000; i++) {
      most = Math.max(most, sent - bytes());
      clock.advance(50);
    }
    expect(most).toBeLessThanOrEqual(64 * 1024 + 1000);
    expect(bytes()).toBe(1_000_000);
  });

  test("does not let a line that was idle catch up", () => {
    const { clock, send, bytes } = shaped([{ kind: "rate", bytesPerSecond: 1000 }]);
    clock.advance(10_000);
    send(1000);
    clock.advance(500);
    expect(bytes()).toBe(500);
  });

  test("the slowest of two decides", () => {
    const { clock, send, bytes } = shaped([{ kind: "rate", bytesPerSecond: 5000 }, {
      kind: "rate",
      bytesPerSecond: 1000,
    }]);
    send(1000);
    clock.advance(500);
    expect(bytes()).toBe(500);
  });
});

describe("latency", () => {
  test("head and pieces are late, each by a time of its own, and none overtakes another", () => {
    const times = [10, 50, 5, 20];
    const { clock, log, send, shaper } = shaped([{ kind: "latency", draw: () => times.shift()! }], { head: true });
    clock.advance(10);
    send(1); // 10 + 50
    clock.advance(2);
    send(2); // 12 + 5, behind the first
    clock.advance(70);
    send(3); // 82 + 20
    shaper.end("");
    clock.advance(100);
    expect(log).toEqual(["10 head", "60 1", "60 2", "102 3", "102 end"]);
  });

  test("times of two stages add up", () => {
    const { clock, log, send } = shaped([{ kind: "latency", draw: () => 10 }, { kind: "latency", draw: () => 5 }]);
    send(1);
    clock.advance(100);
    expect(log).toEqual(["15 1"]);
  });

  test("much may be on its way at once, but not without bound", () => {
    const { send, shaper, clock } = shaped([{ kind: "latency", draw: () => 1000 }]);
    let sent = 0;
    while (send(10_000)) sent += 10_000;
    expect(sent).toBeLessThanOrEqual(1024 * 1024);
    let drained = false;
    shaper.drained(() => drained = true);
    expect(drained).toBe(false);
    clock.advance(1000);
    expect(drained).toBe(true);
  });
});

describe("slice", () => {
  test("small pieces with a pause behind each", () => {
    const { clock, log, send, shaper } = shaped([{ kind: "slice", draw: () => 40, pause: 7 }]);
    send(100);
    shaper.end("");
    clock.advance(100);
    expect(log).toEqual(["0 40", "7 40", "14 20", "14 end"]);
  });

  test("without a pause each piece still has a turn of its own", () => {
    const { clock, log, send } = shaped([{ kind: "slice", draw: () => 1, pause: 0 }]);
    send(3);
    expect(log).toEqual(["0 1"]);
    clock.advance(0);
    expect(log).toEqual(["0 1", "0 1", "0 1"]);
  });

  test("sizes vary, the same way for the same seed", () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const it = shaped([{ kind: "slice", draw: () => 10 + (2 * random() - 1) * 5, pause: 1 }]);
      it.send(200);
      it.clock.advance(1000);
      return it.log;
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
    for (const line of run(1).slice(0, -1)) {
      expect(Number(line.split(" ")[1])).toBeGreaterThanOrEqual(5);
      expect(Number(line.split(" ")[1])).toBeLessThanOrEqual(15);
    }
  });

  test("pieces of a chunk stay pieces of that chunk", () => {
    const pieces: unknown[] = [];
    const clock = new FakeClock();
    const shaper = new Shaper([{ kind: "slice", draw: () => 2, pause: 0 }], {
      drained: () => {},
      fired: () => {},
      broken: () => {},
    }, clock);
    shaper.attach({
      data: ({ data, chunk, final }) => pieces.push([data.length, chunk, final]) > 0,
      end: () => {},
    });
    shaper.data({ data: new Uint8Array(5), chunk: 8, final: false });
    shaper.data({ data: new Uint8Array(3), chunk: 0, final: true });
    clock.advance(10);
    expect(pieces).toEqual([[2, 8, false], [2, 0, false], [1, 0, false], [2, 0, false], [1, 0, true]]);
  });
});

describe("dribble", () => {
  test("so many pieces in so long", () => {
    const { clock, log, send, shaper } = shaped([{ kind: "dribble", chunks: 4, ms: 100 }], { total: 10 });
    send(10);
    shaper.end("");
    clock.advance(100);
    expect(log).toEqual(["25 2", "50 3", "75 2", "100 3", "100 end"]);
  });

  test("whatever the pieces were that came", () => {
    const { clock, log, send } = shaped([{ kind: "dribble", chunks: 2, ms: 100 }], { total: 10 });
    for (let i = 0; i < 10; i++) send(1);
    clock.advance(100);
    expect(log.map((line) => line.split(" ")[0])).toEqual([...Array(5).fill("50"), ...Array(5).fill("100")]);
  });

  test("more pieces than bytes: a piece for each byte", () => {
    const { clock, log, send } = shaped([{ kind: "dribble", chunks: 9, ms: 90 }], { total: 3 });
    send(3);
    clock.advance(90);
    expect(log).toEqual(["10 1", "20 1", "30 1"]);
  });

  test("of a length that is not known, each piece waits for its share of the time", () => {
    const { clock, log, send } = shaped([{ kind: "dribble", chunks: 4, ms: 100 }]);
    send(5);
    send(6);
    clock.advance(100);
    expect(log).toEqual(["25 5", "50 6"]);
  });
});

test("slow-head and slow-close: the head is late, and the end", () => {
  const { clock, log, send, shaper } = shaped([{ kind: "slow-head", ms: 30 }, { kind: "slow-close", ms: 20 }], {
    head: true,
  });
  clock.advance(30);
  send(1);
  shaper.end(" x");
  clock.advance(19);
  expect([log, shaper.pending]).toEqual([["30 head", "30 1"], true]);
  clock.advance(1);
  expect([log.at(-1), shaper.pending]).toEqual(["50 end x", false]);
});

describe("break", () => {
  test.each([
    ["before the head", "head", ["0 fired FAULT_LIMIT", "0 broken FAULT_LIMIT"]],
    ["behind the head", 0, ["0 head", "0 fired FAULT_LIMIT", "0 broken FAULT_LIMIT"]],
    ["in the body", 3, ["0 head", "0 3", "0 fired FAULT_LIMIT", "0 broken FAULT_LIMIT"]],
    ["at its half", "half", ["0 head", "0 4", "0 fired FAULT_LIMIT", "0 broken FAULT_LIMIT"]],
    ["at its last byte", 8, ["0 head", "0 8", "0 fired FAULT_LIMIT", "0 broken FAULT_LIMIT"]],
    ["behind its end: never", 9, ["0 head", "0 8", "0 end"]],
  ] as [string, BreakStage["at"], string[]][])("%s", (_, at, expected) => {
    const { clock, log, send, shaper } = shaped([breakAt(at)], { head: true, total: 8 });
    send(8);
    shaper.end("");
    clock.advance(0);
    expect(log).toEqual(expected);
    expect(clock.pending).toBe(0);
  });

  test("a body that is whole is not short", () => {
    const { clock, log, send, shaper } = shaped([breakAt(8, { cut: { end: "short", scope: "stream" } })], { total: 8 });
    send(8);
    shaper.end("");
    clock.advance(0);
    expect(log).toEqual(["0 8", "0 end"]);
  });

  test("half of a body of unknown length is half of its first piece", () => {
    const { clock, log, send } = shaped([breakAt("half")]);
    send(10);
    clock.advance(0);
    expect(log[0]).toBe("0 5");
  });

  test("after a silence, in which what comes is lost and nobody is held up", () => {
    const { clock, log, send, shaper } = shaped([breakAt(3, { silence: 50 })]);
    send(5);
    clock.advance(49);
    for (let i = 0; i < 100; i++) expect(send(100_000)).toBe(true);
    shaper.end("");
    expect(log).toEqual(["0 3", "0 fired FAULT_LIMIT"]);
    clock.advance(1);
    expect(log.at(-1)).toBe("50 broken FAULT_LIMIT");
  });

  test("never, when the silence has no end: there is no timer", () => {
    const { clock, log, send } = shaped([breakAt(0, { silence: Infinity })]);
    send(5);
    clock.advance(1e9);
    expect([log, clock.pending]).toEqual([["0 fired FAULT_LIMIT"], 0]);
  });

  test("the first of two, and a slow body on the way there", () => {
    const { clock, log, send } = shaped([
      breakAt(30, { code: "FAULT_RESET" }),
      breakAt(20),
      { kind: "rate", bytesPerSecond: 1000 },
    ]);
    send(100);
    clock.advance(1000);
    expect(log).toEqual(["20 20", "20 fired FAULT_LIMIT", "20 broken FAULT_LIMIT"]);
  });
});

test("what takes the bytes may hold them up as well", () => {
  const { clock, log, send, take, shaper } = shaped([{ kind: "slice", draw: () => 10, pause: 0 }], { slots: 2 });
  send(40);
  shaper.end("");
  clock.advance(1000);
  expect(log).toEqual(["0 10", "0 10"]);
  take(10);
  clock.advance(0);
  expect(log.at(-1)).toBe("1000 end");
});

test("closing ends every timer, and nothing follows", () => {
  for (
    const stage of [
      { kind: "rate", bytesPerSecond: 1 },
      { kind: "latency", draw: () => 100 },
      breakAt(0, { silence: 100 }),
    ] as Stage[]
  ) {
    const { clock, log, send, shaper } = shaped([stage]);
    send(100);
    shaper.end("");
    expect(clock.pending).toBe(1);
    shaper.close();
    expect(clock.pending).toBe(0);
    const before = log.length;
    clock.advance(1e6);
    send(100);
    expect(log.length).toBe(before);
  }
});

test("what comes before the head has gone waits for it", () => {
  const { clock, log, send, shaper } = shaped([{ kind: "latency", draw: () => 10 }], { head: true });
  let done = false;
  send(5);
  shaper.end("");
  shaper.onDone(() => done = true);
  clock.advance(9);
  expect([log, shaper.pending, done]).toEqual([[], true, false]);
  clock.advance(1);
  expect([log, shaper.pending, done]).toEqual([["10 head", "10 5", "10 end"], false, true]);
});

test("the body waits for a head that leaves bit by bit", () => {
  const { clock, log, send, shaper } = shaped([breakAt(9)]);
  const sink = { data: ({ data }: { data: Uint8Array }) => log.push(`late ${data.length}`) > 0, end: () => {} };
  shaper.attach(sink, {}, 50);
  send(2);
  clock.advance(49);
  expect(log).toEqual([]);
  clock.advance(1);
  expect(log).toEqual(["late 2"]);
});

test("a message that is sent again begins anew", () => {
  const { clock, log, shaper, send } = shaped([breakAt(3)]);
  send(2);
  shaper.attach({ data: ({ data }) => log.push(`again ${data.length}`) > 0, end: () => {} });
  send(2);
  send(2);
  clock.advance(0);
  expect(log).toEqual(["0 2", "again 2", "again 1", "0 fired FAULT_LIMIT", "0 broken FAULT_LIMIT"]);
});
