/**
 * XML and HTML as text, with what is a tag, an attribute, a comment in colours. Nothing is interpreted.
 *
 * @module
 */
import type { ComponentChildren, VNode } from "preact";

/** Longer text has no colours: each costs an element. */
const LONG = 40_000;

/** The text. */
export function Markup({ text }: { text: string }): VNode {
  return <pre class="code wrap" tabIndex={0} aria-label="Markup">{text.length > LONG ? text : coloured(text)}</pre>;
}

function coloured(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let from = 0;
  for (const match of text.matchAll(/<!--[^]*?(?:-->|$)|<[!?/]?[A-Za-z][^<>]*>?/g)) {
    parts.push(text.slice(from, match.index));
    parts.push(match[0].startsWith("<!--") ? <span class="comment">{match[0]}</span> : tag(match[0]));
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}

function tag(text: string): VNode {
  const [, open = "", rest = ""] = /^(<[!?/]?[^\s/>]+)([^]*)$/.exec(text) ?? [];
  const parts = rest.split(/(=\s*(?:"[^"]*"|'[^']*'|[^\s>]+))/);
  return (
    <>
      <span class="tag">{open}</span>
      {parts.map((part, i) =>
        i % 2 === 1
          ? <span class="string" key={i}>{part}</span>
          : <span class={/\w/.test(part) ? "name" : "tag"} key={i}>{part}</span>
      )}
    </>
  );
}
