/**
 * The body of a message: pretty, as text, in hex, as a picture.
 *
 * @module
 */
import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import { decodeText, essence, isJson, isText } from "../../flow/media_type.ts";
import { bytesOf, toBase64 } from "../copy/bytes.ts";
import type { BytesData } from "../data.ts";
import { announce } from "./announce.ts";
import { Choice } from "./choice.tsx";
import { toClipboard } from "./clipboard.ts";
import { Fields, marked } from "./fields.tsx";
import { pairsOf, partsOf } from "./form.ts";
import { bytes as bytesText } from "./format.ts";
import { Hex } from "./hex.tsx";
import { Icon } from "./icon.tsx";
import { parseJson, parseLines } from "./json.ts";
import { JsonTree } from "./json_tree.tsx";
import { Markup } from "./markup.tsx";

/** What a body is given. */
export interface BodyProps {
  readonly body: BytesData;
  /** The value of Content-Type. */
  readonly type: string | null;
}

type View = "pretty" | "text" | "hex" | "preview";
const LABELS: Readonly<Record<View, string>> = { pretty: "Pretty", preview: "Preview", text: "Text", hex: "Hex" };

/** The body, and how it is looked at. */
export function Body({ body, type }: BodyProps): VNode {
  const bytes = useMemo(() => bytesOf(body), [body]);
  const pretty = useMemo(() => prettyOf(bytes, type, body), [body, type]);
  const views: View[] = [
    ...(isImage(type) ? ["preview" as const] : []),
    ...(pretty ? ["pretty" as const] : []),
    ...(body.text !== undefined || isText(type) ? ["text" as const] : []),
    "hex",
  ];
  const [chosen, setChosen] = useState<View | undefined>(undefined);
  const view = chosen !== undefined && views.includes(chosen) ? chosen : views[0]!;
  if (bytes.length === 0) {
    return <p class="hint">{body.note ?? "Empty"}{body.of !== undefined && ` (${bytesText(body.of)})`}</p>;
  }
  return (
    <div class="body">
      <div class="bar-of-body">
        {views.length > 1 && (
          <Choice
            label="View of the body"
            options={views.map((value) => ({ value, label: LABELS[value] }))}
            value={view}
            onChoose={(value: View) => setChosen(value)}
          />
        )}
        <span class="note">{type === null || type === "" ? "no Content-Type" : type}</span>
        <CopyBody text={body.text ?? decodeText(bytes, type)} />
      </div>
      {body.of !== undefined && body.of > bytes.length && (
        <p class="hint">
          The first {bytesText(bytes.length)} of {bytesText(body.of)} are in this report.{body.note && ` ${body.note}`}
        </p>
      )}
      {view === "pretty" && pretty}
      {view === "preview" && <Picture bytes={bytes} type={essence(type)} />}
      {view === "text" && (
        <pre
          class="code wrap"
          tabIndex={0}
          aria-label="Body as text"
        >{marked(body.text ?? decodeText(bytes, type))}</pre>
      )}
      {view === "hex" && <Hex bytes={bytes} />}
    </div>
  );
}

function CopyBody({ text }: { text: string }): VNode {
  return (
    <button
      type="button"
      class="tool"
      title="Copy the body"
      aria-label="Copy the body"
      onClick={async () =>
        announce(await toClipboard(text) ? "Body copied" : "The browser does not let this page copy")}
    >
      <Icon name="copy" />
    </button>
  );
}

/** As a picture, no format can run a script or load anything. */
function Picture({ bytes, type }: { bytes: Uint8Array; type: string }): VNode {
  const [facts, setFacts] = useState("");
  return (
    <figure class="picture">
      <img
        alt="The body as a picture"
        src={`data:${type};base64,${toBase64(bytes)}`}
        onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => setFacts(`${naturalWidth} × ${naturalHeight}`)}
        onError={() => setFacts("This browser cannot show it.")}
      />
      <figcaption class="note">{facts}</figcaption>
    </figure>
  );
}

function isImage(type: string | null): boolean {
  return /^image\/[\w.+-]+$/.test(essence(type));
}

/** What a person would want to see; `undefined`: the text itself is that. */
function prettyOf(bytes: Uint8Array, type: string | null, { text, of }: BytesData): VNode | undefined {
  const kind = essence(type);
  if (kind.startsWith("multipart/")) {
    const parts = partsOf(bytes, type!);
    return parts.length === 0 ? undefined : (
      <div class="parts">
        {parts.map(({ name, file, headers, bytes }, i) => (
          <section key={i} class="part">
            <h4>{name}{file !== undefined && <span class="note">{file}</span>}</h4>
            <Body
              body={dataOf(bytes)}
              type={headers.find(([name]) => /^content-type$/i.test(name))?.[1] ?? "text/plain"}
            />
          </section>
        ))}
      </div>
    );
  }
  if (text === undefined) return undefined;
  if (kind === "application/x-www-form-urlencoded") return <Fields fields={pairsOf(text)} />;
  if (/ndjson|jsonl|json-seq/.test(kind)) {
    const values = parseLines(text);
    if (values !== undefined) return <>{values.slice(0, 500).map((value, i) => <JsonTree key={i} value={value} />)}</>;
  }
  const json = isJson(type) || /^\s*[[{]/.test(text) ? parseJson(text) : undefined;
  if (json !== undefined) return <JsonTree value={json.value} />;
  if (isJson(type) && of === undefined) return undefined;
  return /html|xml/.test(kind) ? <Markup text={text} /> : undefined;
}

function dataOf(bytes: Uint8Array): BytesData {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? { base64: toBase64(bytes) } : { text };
  } catch {
    return { base64: toBase64(bytes) };
  }
}
