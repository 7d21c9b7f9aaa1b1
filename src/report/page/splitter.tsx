/**
 * What lies between the list and what is open: it can be moved.
 *
 * @module
 */
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";

const LEAST = 20;
const MOST = 80;

/** A separator that is moved with the pointer or the arrows. */
export function Splitter(): VNode {
  const [share, setShare] = useState(46);
  useEffect(() => document.documentElement.style.setProperty("--list-share", `${share}%`), [share]);
  const set = (value: number) => setShare(Math.round(Math.max(LEAST, Math.min(MOST, value))));
  return (
    <div
      class="splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the list"
      aria-valuenow={share}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) =>
        event.currentTarget.hasPointerCapture(event.pointerId) && set(event.clientX / innerWidth * 100)}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        set(share + step);
      }}
    />
  );
}
