/**
 * What the keys do, and what the filter knows.
 *
 * @module
 */
import type { VNode } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { FILTER_OPERATORS } from "../../flow/filter/operators.ts";
import { Icon } from "./icon.tsx";

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["/"], "filter"],
  [["j", "↓"], "next flow"],
  [["k", "↑"], "previous flow"],
  [["Enter"], "into the flow"],
  [["1", "…", "9"], "its tabs"],
  [["c"], "copy as"],
  [["f"], "why the test failed"],
  [["Esc"], "back to the list, close"],
  [["?"], "this"],
];

/** A dialog. */
export function Help({ onClose, onFilter }: { onClose(): void; onFilter(expression: string): void }): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="help-title"
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && event.currentTarget.close()}
    >
      <header>
        <h2 id="help-title">Keys and filters</h2>
        <button type="button" class="tool" aria-label="Close" onClick={() => dialog.current!.close()}>
          <Icon name="close" />
        </button>
      </header>
      <div class="columns">
        <dl class="keys">
          {KEYS.map(([keys, what]) => (
            <div key={what}>
              <dt>{keys.map((key) => key === "…" ? "–" : <kbd key={key}>{key}</kbd>)}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <div>
          <p>
            A word alone is looked for in the URL, as a regular expression. Operators go together with{" "}
            <code>&amp;</code>, <code>|</code>, <code>!</code> and <code>( )</code>.
          </p>
          <p class="examples">
            {EXAMPLES.map((example) => (
              <button
                type="button"
                class="link"
                key={example}
                onClick={() => {
                  dialog.current!.close();
                  onFilter(example);
                }}
              >
                <code>{example}</code>
              </button>
            ))}
          </p>
          <table class="fields operators">
            <tbody>
              {Object.entries(FILTER_OPERATORS).map(([name, { argument, finds }]) => (
                <tr key={name}>
                  <th scope="row">~{name}{argument === "number" ? " 404" : argument === "none" ? "" : " regex"}</th>
                  <td>{finds.replaceAll("`", "")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </dialog>
  );
}

const EXAMPLES = ["~m POST & ~u /orders", "~e | ~c 500", "~websocket", "~hq content-type.*json", "!~a"];
