/**
 * Why the test has failed: what was wanted and what was found, what came nearest, and what can be done.
 *
 * @module
 */
import type { VNode } from "preact";
import { diffLines } from "../../flow/set/line_diff.ts";
import type { ComparisonData, FailureData, NearestData } from "../data.ts";
import { announce } from "./announce.ts";
import { toClipboard } from "./clipboard.ts";
import { marked, Section } from "./fields.tsx";
import { Icon } from "./icon.tsx";

/** What the view of a failure is given. */
export interface FailureViewProps {
  readonly failure: FailureData;
  /** Whether there is a flow of this id in the report. */
  has(id: string): boolean;
  onOpen(id: string): void;
  onClose(): void;
}

/** The failure. */
export function FailureView(props: FailureViewProps): VNode {
  const { failure, onClose } = props;
  const { details, name, message, stack, diff } = failure;
  const [first = "", ...rest] = (details?.summary ?? message).split("\n");
  return (
    <article class="detail failure" aria-labelledby="detail-title">
      <header>
        <div class="tools">
          <span class="pill bad">{name}</span>
          <button type="button" class="tool close" aria-label="Close" title="Close (Esc)" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
        <h2 id="detail-title" tabIndex={-1}>{marked(first)}</h2>
        {details && rest.join("").trim() !== "" && <pre class="summary">{marked(rest.join("\n"))}</pre>}
      </header>
      <div class="panel">
        {!details && <Difference failure={failure} />}
        {!details && rest.join("").trim() !== "" && (
          <pre
            class="code wrap message"
            tabIndex={0}
            aria-label="Message"
          >{marked(rest.join("\n").replace(/^\n+/, ""))}</pre>
        )}
        {details && details.nearest.length > 0 && (
          <Section title="What came nearest" note={String(details.nearest.length)}>
            {details.nearest.map((nearest, i) => <Nearest key={i} nearest={nearest} {...props} />)}
          </Section>
        )}
        {details && details.advice.length > 0 && (
          <Section title="What can be done">
            {details.advice.map(({ text, code }, i) => <Advice key={i} text={text} code={code} />)}
          </Section>
        )}
        {details && failure.expected !== undefined && failure.expected !== failure.actual && (
          <Section title="Difference">
            <Difference failure={failure} />
          </Section>
        )}
        {details && details.flows.length > 0 && <Flows {...props} ids={details.flows} />}
        {diff && (
          <Section title="Diff of the test runner" closed={details !== undefined}>
            <pre class="code wrap" tabIndex={0} aria-label="Diff">{marked(diff)}</pre>
          </Section>
        )}
        {details && (
          <Section title="Message" closed>
            <pre class="code wrap" tabIndex={0} aria-label="Message">{marked(message)}</pre>
          </Section>
        )}
        {stack && (
          <Section title="Stack" closed>
            <pre class="code" tabIndex={0} aria-label="Stack">{marked(stackOnly(stack))}</pre>
          </Section>
        )}
      </div>
    </article>
  );
}

/** Expected and received, line by line. */
function Difference({ failure: { expected, actual } }: { failure: FailureData }): VNode | null {
  if (expected === undefined || actual === undefined || expected === actual) return null;
  const [a, b] = [expected.split("\n").slice(0, 2000), actual.split("\n").slice(0, 2000)];
  return (
    <section class="difference" aria-label="Difference">
      <p class="legend">
        <span class="removed">− expected</span> <span class="added">+ received</span>
      </p>
      <pre class="code wrap" tabIndex={0} aria-label="Expected and received">
        {diffLines(a, b).map((line, i) => {
          const [sign, text] = line.kind === "removed" ? ["−", a[line.a]] : line.kind === "added" ? ["+", b[line.b]] : [" ", a[line.a]];
          return <span class={line.kind} key={i}>{`${sign} ${text}\n`}</span>;
        })}
      </pre>
    </section>
  );
}

function Nearest({ nearest, has, onOpen }: FailureViewProps & { nearest: NearestData }): VNode {
  const { kind, title, flow, closeness, comparisons } = nearest;
  const differing = comparisons.filter(({ matches }) => !matches);
  const fitting = comparisons.filter(({ matches }) => matches);
  return (
    <section class="nearest">
      <h4>
        <span class="badge">{kind}</span> <span class="title">{marked(title)}</span>
        {flow !== undefined && has(flow) && (
          <button type="button" class="link" onClick={() => onOpen(flow)}>Show</button>
        )}
      </h4>
      <p class="closeness">
        <meter min={0} max={1} value={closeness} aria-label="How near it came">{Math.round(closeness * 100)}%</meter>
        <span>{fitting.length === 0 ? "nothing fits" : `fits: ${fitting.map(({ field }) => field).join(", ")}`}</span>
      </p>
      {differing.length > 0 && <Comparisons comparisons={differing} />}
    </section>
  );
}

function Comparisons({ comparisons }: { comparisons: readonly ComparisonData[] }): VNode {
  return (
    <table class="comparisons">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Expected</th>
          <th scope="col">Received</th>
        </tr>
      </thead>
      <tbody>
        {comparisons.slice(0, 200).map(({ field, expected, actual }, i) => (
          <tr key={i}>
            <th scope="row">{field}</th>
            <td class="removed">{marked(expected)}</td>
            <td class="added">{actual === undefined ? <em>absent</em> : marked(actual)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Advice({ text, code }: { text: string; code: string }): VNode {
  return (
    <div class="advice">
      <p>{marked(text)}</p>
      <div class="with-tool">
        <pre class="code wrap" tabIndex={0} aria-label="Code">{marked(code)}</pre>
        <button
          type="button"
          class="tool"
          aria-label="Copy the code"
          title="Copy"
          onClick={async () => announce(await toClipboard(code) ? "Copied" : "The browser does not let this page copy")}
        >
          <Icon name="copy" />
        </button>
      </div>
    </div>
  );
}

function Flows({ ids, has, onOpen }: FailureViewProps & { ids: readonly string[] }): VNode | null {
  const known = ids.filter(has);
  if (known.length === 0) return null;
  return (
    <Section title="Flows that it is about" note={String(known.length)}>
      <p class="links">
        {known.slice(0, 50).map((id) => (
          <button
            type="button"
            class="link"
            key={id}
            onClick={() => onOpen(id)}
          >
            {id}
          </button>
        ))}
      </p>
    </Section>
  );
}

/** Without the message, which stands in front of it. */
function stackOnly(stack: string): string {
  const at = stack.search(/^\s*at |^[^\n]*@/m);
  return at < 0 ? stack : stack.slice(at);
}
