/**
 * "Copy as": a flow as a command, as code, as a rule, as an entry of a tape.
 *
 * @module
 */
import type { VNode } from "preact";
import { toCurl } from "../copy/curl.ts";
import { toFetch } from "../copy/fetch.ts";
import { toRule } from "../copy/rule.ts";
import { toTapeEntry } from "../copy/tape_entry.ts";
import type { FlowData, HttpFlowData, MessageData } from "../data.ts";
import { announce } from "./announce.ts";
import { toClipboard } from "./clipboard.ts";
import { Icon } from "./icon.tsx";
import { Menu, type MenuItem } from "./menu.tsx";
import { printPlace } from "./place.ts";

/** The button and its menu. */
export function CopyMenu({ flow, tab }: { flow: FlowData; tab: string }): VNode {
  const item = (
    label: string,
    note: string,
    text: () => string | Promise<string>,
    message?: MessageData,
  ): MenuItem => ({
    label,
    note,
    onChoose: () => void copy(label, text, message),
  });
  const http = flow.type === "http" ? flow : undefined;
  const items = [
    ...(http === undefined ? [] : exchangeItems(http, item)),
    item("tape entry", "JSON, for log.entries", () => toTapeEntry(flow)),
    ...(http === undefined ? [] : [item("URL", "of the request", () => http.request.url)]),
    item("link", "to this place of the report", () => linkTo(flow, tab)),
  ];
  return (
    <Menu id="copy" items={items}>
      <Icon name="copy" />Copy as<Icon name="down" />
    </Menu>
  );
}

type MakeItem = (label: string, note: string, text: () => string, message?: MessageData) => MenuItem;

function exchangeItems(flow: HttpFlowData, item: MakeItem): MenuItem[] {
  return [
    item("curl", "for a POSIX shell", () => toCurl(flow), flow.request),
    item("fetch", "JavaScript", () => toFetch(flow), flow.request),
    item("rule", "answers as it was answered", () => toRule(flow), flow.response),
  ];
}

async function copy(
  label: string,
  text: () => string | Promise<string>,
  message: MessageData | undefined,
): Promise<void> {
  const copied = await toClipboard(await text());
  const of = message?.body?.of;
  const short = of === undefined ? "" : ". Its body is not in the report as a whole";
  announce(copied ? `Copied as ${label}${short}` : "The browser does not let this page copy");
}

function linkTo({ id }: FlowData, tab: string): string {
  return location.href.replace(/#.*$/s, "") + printPlace({ open: id, tab, filter: "" });
}
