/**
 * The box for a filter expression, and what is wrong with it.
 *
 * @module
 */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

/** What the box is given. */
export interface FilterBoxProps {
  readonly expression: string;
  readonly problem: string | undefined;
  onChange(expression: string): void;
}

/** The box. */
export function FilterBox({ expression, problem, onChange }: FilterBoxProps): VNode {
  const [text, setText] = useState(expression);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setText(expression), [expression]);
  const change = (value: string) => {
    setText(value);
    clearTimeout(timer.current);
    // Whoever writes is not made to wait for ten thousand flows at every letter.
    timer.current = setTimeout(() => onChange(value), 120);
  };
  return (
    <search class="filter">
      <Icon name="search" />
      <input
        id="filter"
        type="search"
        autocomplete="off"
        spellcheck={false}
        placeholder="Filter: /orders, ~m POST & ~c 500"
        aria-label="Filter expression"
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : "filter-problem"}
        value={text}
        onInput={(event) => change(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === "ArrowDown") {
            event.preventDefault();
            clearTimeout(timer.current);
            onChange(text);
            document.getElementById("flows")?.focus();
          } else if (event.key === "Escape" && text !== "") {
            event.preventDefault();
            change("");
          }
        }}
      />
      {text === "" && <kbd aria-hidden="true">/</kbd>}
      {problem !== undefined && <pre id="filter-problem" class="problem" role="alert">{problem}</pre>}
    </search>
  );
}
