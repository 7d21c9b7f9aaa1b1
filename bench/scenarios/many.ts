/** Whether many rules, or a long tape, cost more than one: the proxies stay up, and requests go to all of them in turn. */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Bench, RunningContender } from "../bench.ts";
import type { Job } from "../contenders/contender.ts";
import type { Destination } from "../load/connect.ts";
import { bodyFor, itemPath } from "../payload.ts";
import { ratioFigure, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import { measureRunning, sliceLine } from "../steady.ts";
import type { Scenario } from "./scenario.ts";

const ORIGIN = "http://bench.test";
const TO: Destination = { scheme: "http", host: "bench.test", port: 80 };
const RULES = 1_000;

export const manyRules: Scenario = {
  id: "rules",
  run: (bench) =>
    bench.with(
      ["flowtape", "flowtape", "mockttp", "mockttp"],
      async ([one, many, mockttpOne, mockttpMany]) => {
        const rules = (paths: number): Job => ({
          kind: "respond",
          origin: ORIGIN,
          paths,
        });
        const slices = await interleave(bench.pace.rounds, {
          one: await keepUp(bench, one, rules(1), { paths: 1 }),
          many: await keepUp(bench, many, rules(RULES), { paths: RULES }),
          mockttpOne: await keepUp(bench, mockttpOne, rules(1), { paths: 1 }),
          mockttpMany: await keepUp(bench, mockttpMany, rules(RULES), {
            paths: RULES,
          }),
        });
        const cpu = (name: keyof typeof slices) => slices[name].map((slice) => slice.cpu);
        const mockttpRatio = ratioFigure("", cpu("mockttpMany"), cpu("mockttpOne")).median;
        return {
          title: "1,000 rules",
          lines: [
            sliceLine("flowtape, 1 rule", slices.one),
            sliceLine("flowtape, 1,000 rules", slices.many),
            sliceLine("mockttp, 1 rule", slices.mockttpOne),
            sliceLine("mockttp, 1,000 rules", slices.mockttpMany),
          ],
          targets: [
            target(ratioFigure("of the processor time with one rule", cpu("many"), cpu("one")), { atMost: 1.2 }),
          ],
          notes: [`mockttp: ${mockttpRatio.toFixed(2)} times`],
        };
      },
    ),
};

export const longTape: Scenario = {
  id: "tape",
  run: (bench) =>
    bench.with(["flowtape", "flowtape"], async ([one, many]) => {
      const entries = bench.quick ? 20_000 : 100_000;
      const bodyBytes = 128; // the tape is about its length
      const replay = async (paths: number): Promise<Job> => {
        const tape = join(bench.folder, `replay-${paths}.har`);
        await writeTape(tape, paths, bodyBytes);
        return { kind: "replay", tape };
      };
      const short = await keepUp(bench, one, await replay(1), {
        paths: 1,
        bodyBytes,
      });
      const longJob = await replay(entries);
      const begin = performance.now();
      const long = await keepUp(bench, many, longJob, {
        paths: entries,
        bodyBytes,
      });
      const loading = performance.now() - begin;
      const slices = await interleave(bench.pace.rounds, {
        one: short,
        many: long,
      });
      const cpu = (name: keyof typeof slices) => slices[name].map((slice) => slice.cpu);
      const title = `${entries.toLocaleString("en")} tape entries`;
      return {
        title,
        lines: [sliceLine("flowtape, 1 entry", slices.one), sliceLine(`flowtape, ${title}`, slices.many)],
        targets: [
          target(ratioFigure("of the processor time with one entry", cpu("many"), cpu("one")), { atMost: 1.2 }),
        ],
        notes: [`the long tape was ready after ${(loading / 1000).toFixed(1)} s`],
      };
    }),
};

async function keepUp(
  bench: Bench,
  contender: RunningContender,
  job: Job,
  options: { paths: number; bodyBytes?: number },
): Promise<() => ReturnType<typeof measureRunning>> {
  const endpoint = await contender.start(job);
  return () => measureRunning(bench, contender, endpoint, { to: TO, ...options });
}

/** A HAR 1.2 file as any tool writes it. */
async function writeTape(file: string, entries: number, bodyBytes: number): Promise<void> {
  function* pieces(): Generator<string> {
    yield `{"log":{"version":"1.2","creator":{"name":"bench","version":"1"},"entries":[\n`;
    for (let index = 0; index < entries; index++) {
      yield JSON.stringify(harEntry(itemPath(index), bodyBytes)) +
        (index < entries - 1 ? ",\n" : "\n");
    }
    yield "]}}\n";
  }
  await pipeline(Readable.from(pieces()), createWriteStream(file));
}

function harEntry(path: string, bodyBytes: number): unknown {
  return {
    startedDateTime: "2026-01-01T00:00:00.000Z",
    time: 1,
    request: {
      method: "GET",
      url: ORIGIN + path,
      httpVersion: "HTTP/1.1",
      cookies: [],
      headers: [{ name: "Host", value: TO.host }, {
        name: "Accept",
        value: "*/*",
      }],
      queryString: [],
      headersSize: -1,
      bodySize: 0,
    },
    response: {
      status: 200,
      statusText: "OK",
      httpVersion: "HTTP/1.1",
      cookies: [],
      headers: [{ name: "Content-Type", value: "text/plain" }, { name: "Content-Length", value: String(bodyBytes) }],
      content: {
        size: bodyBytes,
        mimeType: "text/plain",
        text: bodyFor(path, bodyBytes),
      },
      redirectURL: "",
      headersSize: -1,
      bodySize: bodyBytes,
    },
    cache: {},
    timings: { send: 0, wait: 1, receive: 0 },
  };
}
