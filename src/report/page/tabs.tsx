/**
 * Tabs, as the ARIA authoring practices have them: arrows go from one to the next.
 *
 * @module
 */
import type { ComponentChildren, VNode } from "preact";
import { useRef } from "preact/hooks";

/** A tab. */
export interface Tab {
  readonly id: string;
  readonly label: string;
  /** Something small behind the label, such as a number. */
  readonly note?: string;
  content(): ComponentChildren;
}

/** What tabs are given. */
export interface TabsProps {
  /** For those who listen. */
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly open: string;
  onOpen(id: string): void;
  /** All are shown, one below the other. */
  readonly whole?: boolean;
}

/** The tabs, and the content of the one that is open. */
export function Tabs({ label, tabs, open, onOpen, whole }: TabsProps): VNode {
  const list = useRef<HTMLDivElement>(null);
  const current = tabs.find(({ id }) => id === open) ?? tabs[0]!;
  const move = (event: KeyboardEvent) => {
    const at = tabs.indexOf(current);
    const places: Record<string, number> = {
      ArrowRight: (at + 1) % tabs.length,
      ArrowLeft: (at - 1 + tabs.length) % tabs.length,
      Home: 0,
      End: tabs.length - 1,
    };
    const next = tabs[places[event.key] ?? -1];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onOpen(next.id);
    list.current?.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
  };
  if (whole) {
    return (
      <>
        {tabs.map((tab) => (
          <section key={tab.id} class="panel">
            <h3>{tab.label}</h3>
            {tab.content()}
          </section>
        ))}
      </>
    );
  }
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map(({ id, label, note }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === current.id}
            aria-controls="panel"
            tabIndex={id === current.id ? 0 : -1}
            onClick={() => onOpen(id)}
          >
            {label}
            {note && <span class="note">{note}</span>}
          </button>
        ))}
      </div>
      <div class="panel" role="tabpanel" id="panel" aria-labelledby={`tab-${current.id}`} tabIndex={0} key={current.id}>
        {current.content()}
      </div>
    </>
  );
}
