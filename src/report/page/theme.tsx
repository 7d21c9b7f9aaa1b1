/**
 * Light and dark: as the system has it, or as the reader says.
 *
 * @module
 */
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { announce } from "./announce.ts";
import { Icon } from "./icon.tsx";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = typeof THEMES[number];

/** A button that goes from one to the next. */
export function ThemeSwitch(): VNode {
  const [theme, setTheme] = useState(stored);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    keep(theme);
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  return (
    <button
      type="button"
      class="tool"
      aria-label={`Theme: ${theme}. Change to ${next}`}
      title={`Theme: ${theme}`}
      onClick={() => {
        setTheme(next);
        announce(`Theme: ${next}`);
      }}
    >
      <Icon name={theme} />
    </button>
  );
}

const KEY = "flowtape-report-theme";

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === value) ?? "auto";
  } catch {
    // A page from a file may have no storage.
    return "auto";
  }
}

function keep(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then it holds as long as the page is open.
  }
}
