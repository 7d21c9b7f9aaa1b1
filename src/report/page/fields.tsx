/**
 * Names and values in two columns: header fields, cookies, parameters, facts.
 *
 * @module
 */
import type { ComponentChildren, VNode } from "preact";
import type { FieldData } from "../data.ts";
import { count } from "./format.ts";

/** A section that can be closed, under its heading. */
export function Section(
  { title, note, closed, children }: { title: string; note?: string; closed?: boolean; children: ComponentChildren },
): VNode {
  return (
    <details class="section" open={!closed}>
      <summary>
        <h3>{title}</h3>
        {note && <span class="note">{note}</span>}
      </summary>
      {children}
    </details>
  );
}

/** Names and values, as they stood there. */
export function Fields({ fields }: { fields: readonly FieldData[] }): VNode {
  return (
    <table class="fields">
      <tbody>
        {fields.map(([name, value], i) => (
          <tr key={i}>
            <th scope="row">{name}</th>
            <td>{marked(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A section of fields; nothing when there is none. */
export function FieldSection(
  { title, fields, closed }: { title: string; fields: readonly FieldData[]; closed?: boolean },
): VNode | null {
  if (fields.length === 0) return null;
  return (
    <Section title={title} note={String(fields.length)} closed={closed}>
      <Fields fields={fields} />
    </Section>
  );
}

/** Facts; those that are not known are left out. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ComponentChildren])[] }): VNode {
  const known = facts.filter(([, value]) => value !== undefined && value !== "");
  return (
    <table class="fields facts">
      <tbody>
        {known.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{typeof value === "string" ? marked(value) : value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Text in which what was taken out can be told from what was there. */
export function marked(text: string): ComponentChildren {
  if (!text.includes("[redacted")) return text;
  return text.split(/(\[redacted(?::[\w.-]{1,64})?\])/).map((part, i) =>
    i % 2 === 1 ? <span class="redacted" key={i} title={REDACTED}>{part}</span> : part
  );
}

const REDACTED = "A secret was taken out. The same name and number is the same secret";

/** `12 fields` */
export function fieldCount(fields: readonly FieldData[]): string {
  return count(fields.length, "field");
}
