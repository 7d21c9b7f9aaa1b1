/**
 * JSON as a tree that can be opened and closed. What is closed is not in the document.
 *
 * @module
 */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { marked } from "./fields.tsx";
import { WrittenNumber } from "./json.ts";

/** So many members are shown at once. */
const AT_ONCE = 100;
/** Text that is longer is cut until somebody asks for it. */
const LONG = 2000;

/** A value as a tree. */
export function JsonTree({ value }: { value: unknown }): VNode {
  return (
    <div class="json">
      <Node value={value} name={undefined} depth={0} openTo={depthFor(value)} />
    </div>
  );
}

interface NodeProps {
  readonly value: unknown;
  readonly name: string | undefined;
  readonly depth: number;
  readonly openTo: number;
}

function Node({ value, name, depth, openTo }: NodeProps): VNode {
  if (typeof value !== "object" || value === null || value instanceof WrittenNumber) {
    return (
      <div class="node leaf">
        <Name name={name} />
        <Leaf value={value} />
      </div>
    );
  }
  return <Branch value={value} name={name} depth={depth} openTo={openTo} />;
}

function Branch({ value, name, depth, openTo }: NodeProps & { value: object }): VNode {
  const entries = Object.entries(value);
  const isList = Array.isArray(value);
  const [open, setOpen] = useState(depth < openTo);
  const [most, setMost] = useState(AT_ONCE);
  if (entries.length === 0) {
    return (
      <div class="node leaf">
        <Name name={name} />
        <span class="punct">{isList ? "[]" : "{}"}</span>
      </div>
    );
  }
  return (
    <details class="node" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} />
        <span class="punct">{isList ? "[" : "{"}</span>
        <span class="preview">{open ? "" : preview(entries, isList)}</span>
        {!open && <span class="punct">{isList ? "]" : "}"}</span>}
        <span class="note">{isList ? `${entries.length}` : ""}</span>
      </summary>
      {open && (
        <div class="members">
          {entries.slice(0, most).map(([key, member]) => (
            <Node key={key} name={isList ? undefined : key} value={member} depth={depth + 1} openTo={openTo} />
          ))}
          {entries.length > most && (
            <button type="button" class="more" onClick={() => setMost(most + 10 * AT_ONCE)}>
              Show {Math.min(10 * AT_ONCE, entries.length - most)} more of {entries.length - most}
            </button>
          )}
        </div>
      )}
    </details>
  );
}

function Name({ name }: { name: string | undefined }): VNode | null {
  if (name === undefined) return null;
  return (
    <>
      <span class="name">{/^[\w$-]+$/.test(name) ? name : JSON.stringify(name)}</span>
      <span class="punct">:</span>
    </>
  );
}

function Leaf({ value }: { value: unknown }): VNode {
  const [whole, setWhole] = useState(false);
  if (value instanceof WrittenNumber) return <span class="number">{value.source}</span>;
  if (typeof value !== "string") return <span class={value === null ? "null" : typeof value}>{String(value)}</span>;
  const isCut = value.length > LONG && !whole;
  return (
    <span class="string">
      {marked(JSON.stringify(isCut ? value.slice(0, LONG) : value))}
      {isCut && (
        <button type="button" class="more" onClick={() => setWhole(true)}>
          Show {value.length - LONG} more characters
        </button>
      )}
    </span>
  );
}

/** A few words about what is closed. */
function preview(entries: readonly [string, unknown][], isList: boolean): string {
  const shown = entries.slice(0, 4).map(([key, value]) => isList ? brief(value) : `${key}: ${brief(value)}`).join(", ");
  return entries.length > 4 ? `${shown}, …` : shown;
}

function brief(value: unknown): string {
  if (value instanceof WrittenNumber) return value.source;
  if (Array.isArray(value)) return value.length === 0 ? "[]" : "[…]";
  if (typeof value === "object" && value !== null) return "{…}";
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
  return text;
}

/** As deep as it can be opened without too many lines. */
function depthFor(value: unknown): number {
  let level: unknown[] = [value];
  let lines = 0;
  for (let depth = 0; depth < 8; depth++) {
    level = level.flatMap((one) => typeof one === "object" && one !== null ? Object.values(one).slice(0, AT_ONCE) : []);
    lines += level.length;
    if (lines > 150) return Math.max(1, depth);
    if (level.length === 0) return depth + 1;
  }
  return 8;
}
