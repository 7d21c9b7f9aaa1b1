/**
 * Was this said over a WebSocket, or in a raw conversation?
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { Flow } from "../flow/flow.ts";
import { type CompiledMessage, compileMessage } from "../flow/matcher/message.ts";
import type { MatchedMessage, MessageMatcher } from "../flow/matcher/types.ts";
import { rank, renderComparisons } from "../flow/near_miss.ts";
import { textTable } from "../flow/set/text_table.ts";
import { describeFlow } from "../flow/summary.ts";
import { type Check, indented, outcome, type Section } from "./check.ts";
import { type Cleaner, cleanerFor } from "./cleaner.ts";
import { paintFor } from "./colors.ts";
import { cleaned, failureFlow, legend, matching, valuesOf } from "./sections.ts";
import { flowOf, type GivenFlow } from "./source.ts";
import { countOf, oppositeOf, rangeOf, type Times } from "./times.ts";

/** Whether messages that match were sent so many times: by the client, unless the matcher says `from: "server"`. */
export function checkSentMessage(given: GivenFlow, matcher: MessageMatcher, times?: Times): Check {
  const side = sideOf(matcher);
  const compiled = compileMessage(matcher, "the message");
  const range = rangeOf(times, "message");
  const flow = flowOf(given, `with a message that matches ${compiled.description}`);
  const messages = messagesOf(flow);
  const candidates = messages.filter(({ from }) => from === side);
  const fitting = candidates.filter((message) => compiled.matches(message));
  const count = fitting.length;
  const pass = count >= range.atLeast && count <= range.atMost;
  return outcome({
    kind: "message",
    pass,
    settled: pass ? range.atLeast > 0 || range.atMost === Infinity : count > range.atMost,
    explain: () => {
      const cleaner = cleanerFor(flow);
      const wanted = pass ? oppositeOf(range, "message") : range.text;
      const isShort = count === 0 || (!pass && count < range.atLeast);
      const near = isShort ? nearest(flow, { compiled, candidates, messages, cleaner }) : undefined;
      const other = side === "client" ? "server" : "client";
      const isElsewhere = isShort && messages.some((one) => one.from !== side && compiled.matches(one));
      return {
        expected: wanted,
        actual: countOf(count, "message"),
        ...valuesOf(near?.nearest ?? []),
        sections: [
          {
            text: [
              `expected the ${side} to send ${wanted} ${matching(compiled, cleaner)}`,
              `over ${cleaner.text(describeFlow(flow).url)}`,
              `it sent ${sentence(candidates.length, count)}`,
            ].join("\n"),
            flows: [failureFlow(flow, -1, cleaner)],
          },
          isElsewhere
            ? { text: `The ${other} has sent one that matches: add from: "${other}" to look there.` }
            : undefined,
          near,
          table(messages, cleaner),
        ],
      };
    },
  });
}

function sentence(sent: number, matching: number): string {
  if (sent === 0) return "none";
  const matches = matching === 0 ? "none matches" : matching === 1 ? "1 matches" : `${matching} match`;
  return `${countOf(sent, "message")}, of which ${matches}`;
}

function sideOf(matcher: MessageMatcher): "client" | "server" {
  const from = typeof matcher === "object" && matcher !== null && "from" in matcher ? matcher.from : undefined;
  return from === "server" ? "server" : "client";
}

function messagesOf(flow: Flow): readonly MatchedMessage[] {
  if (flow.type === "tcp") return flow.messages;
  if (flow.websocket !== undefined) return flow.websocket.messages;
  const { method, url } = describeFlow(flow);
  // It may become one.
  if (!flow.done && flow.request.scheme.startsWith("ws")) return [];
  throw new OptionsError(`${method} ${url} is no WebSocket: only those, and raw conversations, have messages`);
}

interface Messages {
  readonly compiled: CompiledMessage;
  /** Those of the side that was asked for. */
  readonly candidates: readonly MatchedMessage[];
  readonly messages: readonly MatchedMessage[];
  readonly cleaner: Cleaner;
}

function nearest(flow: Flow, { compiled, candidates, messages, cleaner }: Messages): Section | undefined {
  const misses = rank(candidates, (message) => compiled.compare(message))
    .filter(({ closeness }) => closeness > 0 || candidates.length === 1)
    .map((miss) => cleaned(miss, cleaner));
  if (misses.length === 0) return undefined;
  const titles = misses.map(({ subject }) => `#${messages.indexOf(subject)} ${shown(subject, cleaner)}`);
  const texts = misses.map(({ comparisons }, i) =>
    `  ${titles[i]}\n${renderComparisons(comparisons, { paint: paintFor() })}`
  );
  return {
    text: `nearest (${legend()}):\n${texts.join("\n\n")}`,
    nearest: misses.map(({ comparisons, closeness }, i) => ({
      kind: "message",
      title: titles[i]!,
      flow: flow.id,
      closeness,
      comparisons,
    })),
  };
}

/** Lines on screens are few. */
const SHOWN = 20;

function table(messages: readonly MatchedMessage[], cleaner: Cleaner): Section | undefined {
  if (messages.length === 0) return undefined;
  const skipped = Math.max(0, messages.length - SHOWN);
  const rows = messages.slice(skipped).map((message, i) => [
    String(skipped + i),
    message.from,
    shown(message, cleaner),
  ]);
  const lines = textTable([["#", "from", "message"], ...rows], { right: new Set([0]) });
  const count = countOf(messages.length, "message");
  lines.push(skipped === 0 ? count : `${count} (the last ${SHOWN} shown)`);
  return { text: `messages:\n${indented(lines.join("\n"))}` };
}

/** The beginning of a message on one line. */
function shown({ text, type, data }: MatchedMessage, cleaner: Cleaner): string {
  if (type === "binary" || text.includes("\ufffd") || text.includes("\0")) return `${data.length} bytes`;
  // A secret that is cut in two would not be found any more.
  const line = cleaner.text(text.slice(0, 4096)).replace(/\s+/g, " ");
  return line.length <= 76 ? line : `${line.slice(0, 75)}…`;
}
