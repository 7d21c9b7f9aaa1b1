/**
 * A button that opens a menu, as the ARIA authoring practices have it.
 *
 * @module
 */
import type { ComponentChildren, VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** What can be chosen. */
export interface MenuItem {
  readonly label: string;
  readonly note?: string;
  onChoose(): void;
}

/** The button and its menu. */
export function Menu(
  { children, id, items }: { children: ComponentChildren; id: string; items: readonly MenuItem[] },
): VNode {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const itemsIn = () => Array.from(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? []);
  // At once: the next key is for the menu.
  useLayoutEffect(() => {
    if (!open) return;
    itemsIn()[0]?.focus();
    const leave = (event: Event) => box.current?.contains(event.target as Node) || setOpen(false);
    document.addEventListener("pointerdown", leave);
    return () => document.removeEventListener("pointerdown", leave);
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKey = (event: KeyboardEvent) => {
    if (!open) return;
    const all = itemsIn();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const moves: Record<string, () => void> = {
      ArrowDown: () => all[(at + 1) % all.length]?.focus(),
      ArrowUp: () => all.at(at <= 0 ? -1 : at - 1)?.focus(),
      Home: () => all[0]?.focus(),
      End: () => all.at(-1)?.focus(),
      Escape: close,
      Tab: () => setOpen(false),
    };
    const move = moves[event.key];
    if (move !== undefined) {
      if (event.key !== "Tab") event.preventDefault();
      event.stopPropagation();
      move();
    } else if (/^[a-z]$/i.test(event.key)) {
      event.stopPropagation();
      all.find(({ textContent }) => textContent?.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    }
  };
  return (
    <div class="menu" ref={box} onKeyDown={onKey}>
      <button
        type="button"
        class="button"
        ref={button}
        id={id}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {children}
      </button>
      {open && (
        <div role="menu" aria-labelledby={id}>
          {items.map(({ label, note, onChoose }) => (
            <button
              key={label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                close();
                onChoose();
              }}
            >
              {label}
              {note && <span class="note">{note}</span>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
