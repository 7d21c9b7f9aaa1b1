/**
 * The prompt: asks a person about every flow that waits at a breakpoint, one at a time.
 *
 * @module
 */
import { bodyText, fieldText } from "../../fixture/printer.ts";
import { describeFlow } from "../../flow/summary.ts";
import type { PausedFlow } from "../../rules/mod.ts";
import { explain, keyOf, menuFor } from "./keys.ts";
import type { LineReader } from "./line_reader.ts";
import { applyText, textOf } from "./message_file.ts";

/** Who is asked, and how. */
export interface PromptOptions {
  /** The next flow that waits; rejects when there will be none. */
  readonly next: () => Promise<PausedFlow>;
  /** What the person types. */
  readonly lines: LineReader;
  /** What the person sees. */
  readonly write: (text: string) => void;
  /** Lets the person edit a text. */
  readonly edit: (text: string) => Promise<string>;
}

/** Asks until there will be no more flows, or nobody answers any more: then all are forwarded. */
export async function ask(options: PromptOptions): Promise<void> {
  await new Prompt(options).run();
}

class Prompt {
  readonly #options: PromptOptions;
  /** Those that wait, in the order in which they are asked about. */
  #waiting: PausedFlow[] = [];
  #over = false;
  #wake: (() => void) | undefined;
  readonly #ended: Promise<undefined>;
  /** Texts that could not be taken: nobody wants to type them again. */
  readonly #drafts = new WeakMap<PausedFlow, string>();

  constructor(options: PromptOptions) {
    this.#options = options;
    this.#ended = this.#collect();
  }

  async run(): Promise<void> {
    for (;;) {
      while (this.#waiting.length === 0 && !this.#over) await new Promise<void>((resolve) => this.#wake = resolve);
      if (this.#over) break;
      const paused = this.#waiting[0]!;
      if (!paused.waiting) {
        this.#waiting.shift();
        this.#options.write(`${nameOf(paused)} is gone: ${whyGone(paused)}\n`);
        continue;
      }
      await this.#askAbout(paused);
    }
    this.#options.lines.close();
  }

  async #collect(): Promise<undefined> {
    try {
      for (;;) {
        const paused = await this.#options.next();
        this.#waiting.push(paused);
        this.#wake?.();
      }
    } catch {
      // The proxy is being closed.
    }
    this.#over = true;
    this.#wake?.();
  }

  async #askAbout(paused: PausedFlow): Promise<void> {
    const { write, lines } = this.#options;
    const more = this.#waiting.length > 1 ? ` (+${this.#waiting.length - 1})` : "";
    write(`${nameOf(paused)}${more}${alertsOf(paused)}\n${menuFor(paused)} ? `);
    // Over and over until something is decided, or another flow is to be asked about.
    for (;;) {
      const line = await Promise.race([lines.next(), this.#ended]);
      if (this.#over) return;
      if (line === undefined) return this.#nobodyAnswers();
      if (!paused.waiting) return;
      if (await this.#answered(paused, line)) return;
      write(`${menuFor(paused)} ? `);
    }
  }

  /** Carries out an answer; whether the next flow's turn has come. */
  async #answered(paused: PausedFlow, line: string): Promise<boolean> {
    const { write } = this.#options;
    const key = keyOf(line, paused.phase);
    switch (key) {
      case "forward":
        return this.#decide(paused, () => paused.forward());
      case "link":
        return this.#decide(paused, () => paused.link());
      case "drop":
        return this.#decide(paused, () => paused.drop());
      case "continue":
        return this.#continueAll(paused);
      case "view":
        write(`${messageText(paused).join("\n")}\n`);
        return false;
      case "headers":
        write(`${headText(paused).join("\n")}\n`);
        return false;
      case "edit":
        await this.#edit(paused);
        return false;
      case "next":
        if (this.#waiting.length === 1) {
          write("no other one waits\n");
          return false;
        }
        this.#waiting.push(this.#waiting.shift()!);
        return true;
      case "help":
        write(explain(paused.phase));
        return false;
      case undefined:
        write(`${JSON.stringify(line.slice(0, 40))} is no answer; ? says what they do\n`);
        return false;
    }
  }

  /** A flow may be gone by now, because its client has hung up: that is told, and is no mistake. */
  #decide(paused: PausedFlow, decision: () => void): true {
    try {
      decision();
    } catch (error) {
      this.#options.write(`${messageOf(error)}\n`);
    }
    this.#waiting = this.#waiting.filter((one) => one !== paused);
    return true;
  }

  #continueAll(paused: PausedFlow): true {
    this.#decide(paused, () => paused.continueAll());
    // Those that have been taken are not forwarded with it.
    for (const other of this.#waiting.filter((one) => one.waiting)) this.#decide(other, () => other.forward());
    this.#waiting = [];
    return true;
  }

  async #edit(paused: PausedFlow): Promise<void> {
    const { write, edit } = this.#options;
    let text = this.#drafts.get(paused) ?? textOf(paused);
    try {
      text = await edit(text);
      if (!paused.waiting) return;
      applyText(paused, text);
      this.#drafts.delete(paused);
      write(`${nameOf(paused)}\n`);
    } catch (error) {
      this.#drafts.set(paused, text);
      write(`${messageOf(error)}\n`);
    }
  }

  #nobodyAnswers(): void {
    this.#options.write("\nnobody answers any more: all are forwarded from now on\n");
    const [paused] = this.#waiting.filter((one) => one.waiting);
    if (paused !== undefined) this.#continueAll(paused);
    this.#waiting = [];
  }
}

/** `POST https://shop.test/orders`, `201 Created <- POST https://shop.test/orders`, `CONNECT https://shop.test:443/` */
function nameOf({ flow, phase }: PausedFlow): string {
  const { method, url } = describeFlow(flow);
  const { request, response } = flow;
  const message = phase === "response" ? response! : request;
  const size = message.content.complete && message.content.size > 0 ? `, ${message.content.size} bytes` : "";
  const said = phase === "response" ? `${response!.status} ${response!.reason}`.trimEnd() + " <- " : "";
  return `${said}${method} ${url} (${phase}${size})`;
}

function alertsOf({ flow }: PausedFlow): string {
  return flow.alerts.map((alert) => `\n  ! ${alert}`).join("");
}

function whyGone({ flow }: PausedFlow): string {
  return flow.error === undefined ? "it has ended" : flow.error.message;
}

function headText(paused: PausedFlow): string[] {
  const { flow, phase } = paused;
  return [nameOf(paused), ...fieldText(phase === "response" ? flow.response! : flow.request)];
}

function messageText(paused: PausedFlow): string[] {
  const { flow, phase } = paused;
  const message = phase === "response" ? flow.response! : flow.request;
  const body = message.content.complete ? bodyText(message) : ["", "  (the body has not arrived)"];
  return [...headText(paused), ...body];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
