/**
 * Was this said over a WebSocket, or in a raw conversation?
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { Flow } from "../flow/flow.ts";
import { compileMessage } from "../flow/matcher/message.ts";
import type { MatchedMessage, MessageMatcher } from "../flow/matcher/types.ts";
import { rank, renderComparisons } from "../flow/near_miss.ts";
import { redactText } from "../flow/sensitive.ts";
import { textTable } from "../flow/set/text_table.ts";
import { type Check, indented, outcome, type Section } from "./check.ts";
import { paintFor } from "./colors.ts";
import { failureFlow, legend, titleOf } from "./sections.ts";
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
  const matching = candidates.filter((message) => compiled.matches(message));
  const count = matching.length;
  const pass = count >= range.atLeast && count <= range.atMost;
  const wanted = pass ? oppositeOf(range, "message") : range.text;
  return outcome({
    kind: "message",
    pass,
    settled: pass ? range.atLeast > 0 || range.atMost === Infinity : count > range.atMost,
    actual: countOf(count, "message"),
    expected: wanted,
    explain: () => {
      const sent = `sent ${countOf(candidates.length, "message")}, of which ${
        count === 0 ? "none matches" : `${count} match`
      }`;
      const isShort = count === 0 || (!pass && count < range.atLeast);
      const elsewhere = messages.some((message) => message.from !== side && compiled.matches(message));
      const other = side === "client" ? "server" : "client";
      return [
        {
          text: `expected the ${side} of ${titleOf(flow)}\nto send ${wanted} matching ${compiled.description}\nit ${
            candidates.length === 0 ? "sent none" : sent
          }`,
          flows: [failureFlow(flow, -1)],
        },
        isShort && elsewhere
          ? { text: `the ${other} has sent one that matches: from: "${other}" would find it` }
          : undefined,
        isShort ? nearest(flow, compiled, candidates, messages) : undefined,
        table(messages),
      ];
    },
  });
}

function sideOf(matcher: MessageMatcher): "client" | "server" {
  const from = typeof matcher === "object" && matcher !== null && "from" in matcher ? matcher.from : undefined;
  return from === "server" ? "server" : "client";
}

function messagesOf(flow: Flow): readonly MatchedMessage[] {
  if (flow.type === "tcp") return flow.messages;
  if (flow.websocket !== undefined) return flow.websocket.messages;
  // It may become one.
  if (!flow.done && flow.request.scheme.startsWith("ws")) return [];
  throw new OptionsError(`${titleOf(flow)} is no WebSocket: only those, and raw conversations, have messages`);
}

function nearest(
  flow: Flow,
  compiled: ReturnType<typeof compileMessage>,
  candidates: readonly MatchedMessage[],
  all: readonly MatchedMessage[],
): Section | undefined {
  const misses = rank(candidates, (message) => compiled.compare(message));
  if (misses.length === 0) return undefined;
  const paint = paintFor();
  const titles = misses.map(({ subject }) => `#${all.indexOf(subject)} ${shown(subject)}`);
  return {
    text: `nearest (${legend()}):\n${
      misses.map(({ comparisons }, i) => `  ${titles[i]}\n${renderComparisons(comparisons, { paint })}`).join("\n\n")
    }`,
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

function table(messages: readonly MatchedMessage[]): Section | undefined {
  if (messages.length === 0) return undefined;
  const skipped = Math.max(0, messages.length - SHOWN);
  const rows = messages.slice(skipped).map((message, i) => [String(skipped + i), message.from, shown(message)]);
  const lines = textTable([["#", "from", "message"], ...rows], { right: new Set([0]) });
  const count = countOf(messages.length, "message");
  return {
    text: `messages:\n${indented([...lines, skipped === 0 ? count : `${count} (the last ${SHOWN} shown)`].join("\n"))}`,
  };
}

/** The beginning of a message on one line. */
function shown({ text, type, data }: MatchedMessage): string {
  if (type === "binary" || text.includes("\ufffd") || text.includes("\0")) return `${data.length} bytes`;
  const line = redactText(text).replace(/\s+/g, " ");
  return line.length <= 76 ? line : `${line.slice(0, 75)}…`;
}
