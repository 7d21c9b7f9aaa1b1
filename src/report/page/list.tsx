/**
 * The list of flows: only the lines that can be seen are in the document, however many there are.
 *
 * @module
 */
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { bytes, duration } from "./format.ts";
import { Icon } from "./icon.tsx";
import type { Row } from "./row.ts";
import type { Order, SortKey } from "./sort.ts";
import { type Axis, axisOf, Bar, Ticks } from "./waterfall.tsx";

/** The height of a line in pixels, as in the style sheet. */
const HEIGHT = 27;
const HEAD = 30;
/** So many lines above and below are there before they are scrolled to. */
const SPARE = 12;

/** What the list is given. */
export interface ListProps {
  readonly rows: readonly Row[];
  /** How many flows the report has. */
  readonly total: number;
  readonly open: string;
  readonly order: Order;
  /** All lines are drawn. */
  readonly whole: boolean;
  onOpen(id: string): void;
  onEnter(): void;
  onSort(key: SortKey): void;
}

const COLUMNS: readonly { readonly key: SortKey; readonly label: string; readonly class: string }[] = [
  { key: "number", label: "#", class: "number" },
  { key: "method", label: "Method", class: "method" },
  { key: "status", label: "Status", class: "status" },
  { key: "url", label: "URL", class: "url" },
  { key: "kind", label: "Type", class: "kind" },
  { key: "source", label: "Answer", class: "source" },
  { key: "size", label: "Size", class: "size" },
  { key: "time", label: "Time", class: "time" },
];

/** The list. */
export function List(props: ListProps): VNode {
  const { rows, open, whole, onOpen } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const measure = () => {
    if (box.current !== null) setView({ top: box.current.scrollTop, height: box.current.clientHeight });
  };
  useLayoutEffect(measure, []);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  const selected = useMemo(() => rows.findIndex(({ flow }) => flow.id === open), [rows, open]);
  useLayoutEffect(() => {
    if (selected >= 0) scrollTo(box.current!, selected);
  }, [open, selected]);
  const axis = useMemo(() => axisOf(rows), [rows]);
  const from = whole ? 0 : Math.max(0, Math.floor(view.top / HEIGHT) - SPARE);
  const to = whole ? Math.min(rows.length, 2000) : Math.ceil((view.top + view.height) / HEIGHT) + SPARE;
  // A line that leaves at one end is the one that comes at the other: nothing is made anew while the list is scrolled.
  const pool = Math.ceil(view.height / HEIGHT) + 2 * SPARE + 2;
  const keyOf = (place: number) => whole ? place : place % pool;
  const shown = rows.slice(from, to).map((row, i) => ({ row, place: from + i, key: String(keyOf(from + i)) }));
  // What is open is there for those who listen, wherever the list has been scrolled to.
  if (selected >= 0 && (selected < from || selected >= to)) {
    shown.push({ row: rows[selected]!, place: selected, key: "open" });
  }
  return (
    <div
      class={`grid ${axis === undefined ? "timeless" : ""}`}
      role="grid"
      id="flows"
      ref={box}
      tabIndex={0}
      aria-label="Flows"
      aria-rowcount={rows.length + 1}
      aria-colcount={COLUMNS.length + 1}
      aria-activedescendant={selected >= 0 ? `row-${open}` : undefined}
      onScroll={measure}
      onKeyDown={(event) => onKey(event, props, selected, view.height)}
    >
      <Head {...props} axis={axis} />
      <div role="rowgroup" class="rows" style={{ height: `${rows.length * HEIGHT}px` }}>
        {shown.map(({ row, place, key }) => (
          <Line
            key={key}
            row={row}
            place={place}
            axis={axis}
            isOpen={place === selected}
            onOpen={() => onOpen(row.flow.id)}
          />
        ))}
      </div>
      {rows.length === 0 && (
        <p class="nothing">
          {props.total === 0 ? "No flows: nothing has passed." : "No flow is found by this filter."}
        </p>
      )}
    </div>
  );
}

function Head({ order, onSort, axis }: ListProps & { axis: Axis | undefined }): VNode {
  return (
    <div role="rowgroup" class="head">
      <div role="row" aria-rowindex={1} class="line">
        {COLUMNS.map(({ key, label, class: name }) => {
          const sorted = order.key === key ? order.direction : "none";
          return (
            <div role="columnheader" class={`cell ${name}`} key={key} aria-sort={sorted}>
              <button
                type="button"
                onClick={() => onSort(key)}
                title={key === "number"
                  ? "Order in which they began, those that nothing matched first"
                  : `Sort by ${label.toLowerCase()}`}
              >
                {label}
                {sorted !== "none" && key !== "number" && <Icon name={sorted === "ascending" ? "up" : "down"} />}
              </button>
            </div>
          );
        })}
        <div role="columnheader" class="cell waterfall">
          <span class="unseen">Waterfall</span>
          {axis && <Ticks axis={axis} />}
        </div>
      </div>
    </div>
  );
}

interface LineProps {
  readonly row: Row;
  readonly place: number;
  readonly axis: Axis | undefined;
  readonly isOpen: boolean;
  onOpen(): void;
}

function Line({ row, place, axis, isOpen, onOpen }: LineProps): VNode {
  const { flow, number, method, scheme, host, path, query, status, tone, kind, size, time } = row;
  return (
    <div
      role="row"
      id={`row-${flow.id}`}
      class={`line flow ${tone} ${flow.unmatched ? "unmatched" : ""}`}
      aria-rowindex={place + 2}
      aria-selected={isOpen}
      style={{ transform: `translateY(${place * HEIGHT}px)` }}
      onClick={onOpen}
    >
      <div role="gridcell" class="cell number">{number}</div>
      <div role="gridcell" class="cell method">{method}</div>
      <div role="gridcell" class="cell status" title={flow.error?.code}>
        {status}
      </div>
      <div role="gridcell" class="cell url" title={`${scheme}://${host}${path}${query}`}>
        <span class="host">
          {/^(?:http|ws|tcp)$/.test(scheme) ? <span class="plain">{scheme}://</span> : null}
          {host}
        </span>
        <span class="path">{path}</span>
        <span class="query">{query}</span>
      </div>
      <div role="gridcell" class="cell kind">{kind}</div>
      <div role="gridcell" class="cell source">{flow.source}</div>
      <div role="gridcell" class="cell size">{size === undefined ? "" : bytes(size)}</div>
      <div role="gridcell" class="cell time">{time === undefined ? flow.pending ? "pending" : "" : duration(time)}</div>
      <div role="gridcell" class="cell waterfall">{axis && <Bar row={row} axis={axis} />}</div>
    </div>
  );
}

function onKey(event: KeyboardEvent, { rows, onOpen, onEnter }: ListProps, selected: number, height: number): void {
  if (event.ctrlKey || event.metaKey || event.altKey || (event.target as Element).closest("button")) return;
  const page = Math.max(1, Math.floor((height - HEAD) / HEIGHT) - 1);
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -rows.length,
    End: rows.length,
  };
  const step = steps[event.key];
  if (step !== undefined && rows.length > 0) {
    event.preventDefault();
    const next = selected < 0 ? step > 0 && step < rows.length ? 0 : step > 0 ? rows.length - 1 : 0 : selected + step;
    onOpen(rows[Math.max(0, Math.min(rows.length - 1, next))]!.flow.id);
  } else if ((event.key === "Enter" || event.key === "ArrowRight") && selected >= 0) {
    event.preventDefault();
    onEnter();
  }
}

/** Only as far as it must be, and not behind the head. */
function scrollTo(box: HTMLElement, place: number): void {
  const top = place * HEIGHT;
  const room = box.clientHeight - HEAD;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + HEIGHT > box.scrollTop + room) box.scrollTop = top + HEIGHT - room;
}
