/**
 * The page: what is open, what is found, and what the keys do.
 *
 * @module
 */
import type { VNode } from "preact";
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ReportData } from "../data.ts";
import { FailureView } from "./failure_view.tsx";
import { FilterBox } from "./filter_box.tsx";
import { Finder } from "./find.ts";
import { FlowView, tabsOf } from "./flow_view.tsx";
import { count, moment } from "./format.ts";
import { Help } from "./help.tsx";
import { Icon } from "./icon.tsx";
import { List } from "./list.tsx";
import { type Place, printPlace, readPlace } from "./place.ts";
import { rowsOf } from "./row.ts";
import { nextOrder, type Order, sorted, USUAL } from "./sort.ts";
import { Splitter } from "./splitter.tsx";
import { ThemeSwitch } from "./theme.tsx";
import { type Scope, Scopes, scopesOf } from "./scopes.tsx";
import { usePrinting } from "./printing.ts";

/** The whole page. */
export function App({ data }: { data: ReportData }): VNode {
  const rows = useMemo(() => rowsOf(data.flows), [data]);
  const finder = useMemo(() => new Finder(data), [data]);
  const byId = useMemo(() => new Map(rows.map((row) => [row.flow.id, row])), [rows]);
  const [place, go] = usePlace(data);
  const [scope, setScope] = useState<Scope>("all");
  const [order, setOrder] = useState<Order>(USUAL);
  const [help, setHelp] = useState(false);
  const printing = usePrinting();
  const found = useMemo(() => finder.find(place.filter), [finder, place.filter]);
  const last = useRef<ReadonlySet<unknown> | undefined>(undefined);
  // While an expression is being written it is wrong most of the time: the list stays as it was.
  if (found.problem === undefined) last.current = found.flows;
  const flows = last.current;
  const shown = useMemo(() => {
    const inScope = rows.filter(scopesOf(rows).find(({ id }) => id === scope)?.holds ?? (() => true));
    return sorted(flows === undefined ? inScope : inScope.filter(({ flow }) => flows.has(flow)), order);
  }, [rows, flows, scope, order]);

  const row = byId.get(place.open);
  const open = useCallback((id: string) => go({ open: id }), [go]);
  const close = () => {
    go({ open: "" });
    document.getElementById("flows")?.focus();
  };
  const enter = () => requestAnimationFrame(() => document.getElementById("detail-title")?.focus());
  const move = (step: 1 | -1) => {
    const at = shown.findIndex(({ flow }) => flow.id === place.open);
    const next = shown[at < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, at + step))];
    if (next !== undefined) open(next.flow.id);
  };
  const fail = data.failure !== undefined && place.open === "failure";
  useKeys({
    "/": () => document.getElementById("filter")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    f: () => data.failure && open("failure"),
    c: () => document.getElementById("copy")?.click(),
    "?": () => setHelp(true),
    Escape: () => {
      const list = document.getElementById("flows")!;
      if (place.open !== "" && (list.contains(document.activeElement) || document.activeElement === document.body)) {
        close();
      } else list.focus();
    },
    digit: (digit) => {
      const tab = row && tabsOf(row.flow, data)[digit - 1];
      if (tab) go({ tab: tab.id });
    },
  });

  return (
    <>
      <header>
        <div class="top">
          <h1>{data.title}</h1>
          <FilterBox expression={place.filter} problem={found.problem} onChange={(filter) => go({ filter })} />
          <div class="tools">
            <button
              type="button"
              class="tool"
              aria-label="Keys and filters"
              title="Keys and filters (?)"
              onClick={() => setHelp(true)}
            >
              <Icon name="help" />
            </button>
            <ThemeSwitch />
          </div>
        </div>
        <div class="second">
          {data.failure && (
            <button
              type="button"
              class="failed"
              aria-pressed={fail}
              onClick={() => open("failure")}
              title="Why the test failed (f)"
            >
              <Icon name="close" />
              <span>{inOneLine(data.failure.details?.summary ?? data.failure.message)}</span>
            </button>
          )}
          <Scopes rows={rows} scope={scope} onScope={setScope} />
          <p class="count" role="status">{countText(shown.length, rows.length)}</p>
          <p class="made">{leftText(data)} {moment(data.made)}</p>
        </div>
      </header>
      <main class={`split ${row || fail ? "open" : ""}`}>
        <section class="side-list" aria-label="List of flows">
          <List
            rows={shown}
            total={rows.length}
            open={place.open}
            order={order}
            whole={printing}
            onOpen={open}
            onEnter={enter}
            onSort={(key) => setOrder(nextOrder(order, key))}
          />
        </section>
        {(row || fail) && <Splitter />}
        {(row || fail) && (
          <section class="side-detail" aria-label="Detail">
            {fail && <FailureView failure={data.failure!} has={(id) => byId.has(id)} onOpen={open} onClose={close} />}
            {row && (
              <FlowView
                key={row.flow.id}
                row={row}
                data={data}
                tab={place.tab}
                whole={printing}
                onTab={(tab) => go({ tab })}
                onMove={move}
                onClose={close}
              />
            )}
          </section>
        )}
      </main>
      {help && <Help onClose={() => setHelp(false)} onFilter={(filter) => go({ filter })} />}
      <p id="said" class="toast" role="status" />
    </>
  );
}

/** Where the reader is: it is in the address, and going back goes back. */
function usePlace(data: ReportData): [Place, (change: Partial<Place>) => void] {
  const [place, setPlace] = useState(() => startOf(data));
  const current = useRef(place);
  useLayoutEffect(() => {
    const follow = () => setPlace(current.current = readPlace(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const go = useCallback((change: Partial<Place>) => {
    const next = { ...current.current, ...change };
    const hash = printPlace(next);
    // Each step through the list would be one back again: only another filter or tab is not worth one.
    history.replaceState(null, "", hash);
    setPlace(current.current = next);
  }, []);
  return [place, go];
}

function startOf(data: ReportData): Place {
  const place = readPlace(location.hash);
  if (place.open !== "" || place.filter !== "") return place;
  const unmatched = data.flows.find((flow) => flow.unmatched);
  return { ...place, open: data.failure ? "failure" : unmatched?.id ?? "" };
}

interface Keys {
  readonly [key: string]: (() => unknown) | ((digit: number) => unknown);
  digit(digit: number): void;
}

/** Keys that work wherever the focus is, but in a field. */
function useKeys(keys: Keys): void {
  // At once: the next key may come before the next picture.
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("dialog[open]")) return;
      const inField = event.target instanceof HTMLInputElement;
      if (inField && event.key !== "Escape") return;
      const action = /^[1-9]$/.test(event.key)
        ? () => keys.digit(Number(event.key))
        : event.key === "digit"
        ? undefined
        : keys[event.key];
      if (action === undefined) return;
      event.preventDefault();
      (action as () => unknown)();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
}

function inOneLine(text: string): string {
  return text.replace(/\s+/g, " ").slice(0, 300);
}

function countText(shown: number, all: number): string {
  return shown === all ? count(all, "flow") : `${shown.toLocaleString("en")} of ${count(all, "flow")}`;
}

function leftText({ left: { dropped, flows, bodies } }: ReportData): string {
  const older = dropped + flows;
  const parts = [
    ...(older > 0 ? [`${count(older, "older flow")} not shown.`] : []),
    ...(bodies > 0 ? [`${count(bodies, "body").replace("bodys", "bodies")} shortened.`] : []),
  ];
  return parts.join(" ");
}
