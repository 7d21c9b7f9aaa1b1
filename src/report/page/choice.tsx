/**
 * One of a few: buttons side by side.
 *
 * @module
 */
import type { VNode } from "preact";

/** What a choice is given. */
export interface ChoiceProps<T extends string> {
  /** For those who listen. */
  readonly label: string;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly value: T;
  onChoose(value: T): void;
}

/** The buttons. */
export function Choice<T extends string>({ label, options, value, onChoose }: ChoiceProps<T>): VNode {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChoose(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
