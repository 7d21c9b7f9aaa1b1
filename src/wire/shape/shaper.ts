/**
 * One direction of a flow that is slowed down or broken on purpose.
 *
 * @module
 */
import type { BreakStage, Stage } from "../../flow/shape.ts";
import type { BodySink, Piece } from "../exchange/body_pipe.ts";
import { Alarm } from "./alarm.ts";
import { BreakPoints, type Progress } from "./break_points.ts";
import { type Clock, REAL_CLOCK } from "./clock.ts";
import { type Body, type Pacer, pacersOf } from "./pacer.ts";
import type { ShapedWay } from "./shaped_way.ts";
import { lateOf, slownessOf } from "./slowness.ts";

/** So many bytes wait at most, before whoever sends them has to: a slow line is felt on the other side of the proxy. */
const MAX_WAITING = 64 * 1024;
/** The same where bytes are on their way for a while, as on a long line. */
const MAX_ON_THE_WAY = 1024 * 1024;

type Item = { readonly arrival: number; readonly late: number } & ({ piece: Piece } | { readonly trailers: string });

/**
 * Takes a body as fast as it may, and passes it on as slowly as its stages want it. Without I/O, but for its clock.
 */
export class Shaper implements BodySink {
  readonly #stages: readonly Stage[];
  readonly #way: ShapedWay;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #max: number;
  readonly #breaks: BreakPoints;
  #pacers: Pacer[] = [];
  #sink: BodySink | undefined;
  #body: Body = {};
  #queue: Item[] = [];
  #waiting = 0;
  #sent = 0;
  #next: { readonly size: number; readonly due: number } | undefined;
  #blocked = false;
  #silent = false;
  #over = false;
  #onDrain: (() => void) | undefined;
  #onDone: (() => void) | undefined;

  /** @param stages of this direction; at least one */
  constructor(stages: readonly Stage[], way: ShapedWay, clock: Clock = REAL_CLOCK) {
    this.#stages = stages;
    this.#way = way;
    this.#clock = clock;
    this.#alarm = new Alarm(clock);
    this.#breaks = new BreakPoints(stages);
    this.#max = stages.some(({ kind }) => kind === "latency") ? MAX_ON_THE_WAY : MAX_WAITING;
  }

  /** Whether something is still to be passed on. */
  get pending(): boolean {
    return !this.#over;
  }

  /** Whether all bytes of a known number have been passed on: only the end is still to come. */
  get whole(): boolean {
    return !this.#over && !this.#silent && this.#queue.length === 1 && this.#body.total === this.#sent;
  }

  /** Whether nothing passes any more. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Lets the head go when it is time, which may be at once. */
  start(): void {
    const { first } = this.#breaks;
    if (first !== undefined) return this.#break(first);
    const slow = this.#way.trickles ? 0 : slownessOf(this.#stages, "slow-head");
    const late = lateOf(this.#stages) + slow;
    if (late <= 0) this.#way.open!();
    else this.#wake(late, () => this.#way.open!());
  }

  /**
   * The head has gone: what follows goes into the sink. Once more, after {@linkcode Shaper.start} or without, when the message has to be
   * sent again.
   *
   * @param body what is known of it
   * @param later so many milliseconds the head takes
   */
  attach(sink: BodySink, body: Body = {}, later = 0): this {
    // What has come while the head was on its way still waits.
    if (this.#sink !== undefined) this.close();
    if (later > 0) {
      this.#over = false;
      this.#sink = undefined;
      this.#wake(later, () => this.attach(sink, body));
      return this;
    }
    this.#over = this.#silent = this.#blocked = false;
    this.#sink = sink;
    this.#body = body;
    this.#sent = 0;
    this.#pacers = pacersOf(this.#stages, body);
    if (body.none) this.#queue = this.#queue.filter((item) => !("piece" in item));
    this.#run();
    return this;
  }

  /** @inheritdoc */
  data(piece: Piece): boolean {
    // In silence bytes are lost, so that a sender that gives up is noticed.
    if (this.#over || this.#silent || this.#body.none) return true;
    if (piece.data.length > 0) {
      this.#queue.push({ piece, arrival: this.#clock.now(), late: lateOf(this.#stages) });
      this.#waiting += piece.data.length;
      this.#run();
    }
    return this.#over || this.#silent || this.#waiting < this.#max && !this.#blocked;
  }

  /** @inheritdoc */
  end(trailers: string): void {
    if (this.#over || this.#silent) return;
    this.#queue.push({ trailers, arrival: this.#clock.now(), late: slownessOf(this.#stages, "slow-close") });
    this.#run();
  }

  /** Calls once when more may come. */
  drained(callback: () => void): void {
    this.#onDrain = callback;
    this.#tellDrained();
  }

  /** Calls once when the end has been passed on. */
  onDone(callback: () => void): void {
    if (this.#over) callback();
    else this.#onDone = callback;
  }

  /** Nothing more happens. */
  close(): void {
    this.#over = true;
    this.#alarm.off();
    this.#queue = [];
    this.#waiting = 0;
    this.#next = undefined;
    this.#onDrain = this.#onDone = undefined;
  }

  #run(): void {
    if (this.#sink === undefined || this.#alarm.on) return;
    while (!this.#over && !this.#silent && !this.#blocked) {
      const reached = this.#breaks.reached(this.#progress);
      if (reached !== undefined) return this.#break(reached);
      const item = this.#queue[0];
      if (item === undefined) break;
      const now = this.#clock.now();
      const due = "piece" in item ? (this.#next ??= this.#plan(item.piece, item, now)).due : this.#endDue(item, now);
      if (due > now) return this.#wake(due - now, () => this.#run());
      if (!("piece" in item)) return this.#end(item.trailers);
      this.#pass(item.piece);
      if (this.#pacers.length > 0 && !this.#over && !this.#blocked) {
        // Bytes that are written in one turn leave together, whatever they were cut into.
        this.#tellDrained();
        return this.#wake(0, () => this.#run());
      }
    }
    this.#tellDrained();
  }

  #plan(
    piece: Piece,
    { arrival, late }: { arrival: number; late: number },
    now: number,
  ): { size: number; due: number } {
    let size = Math.min(piece.data.length, this.#breaks.left(this.#progress));
    for (const pacer of this.#pacers) size = pacer.size(size);
    let due = arrival + late;
    for (const pacer of this.#pacers) due = Math.max(due, pacer.due(size, arrival + late, now));
    return { size, due };
  }

  #pass(piece: Piece): void {
    const { size } = this.#next!;
    this.#next = undefined;
    const { data, chunk, final } = piece;
    const item = this.#queue[0]! as { piece: Piece };
    const whole = size >= data.length;
    if (whole) this.#queue.shift();
    // What follows of a chunk is a part of it (see DataEvent).
    else item.piece = { data: data.subarray(size), chunk: 0, final };
    this.#waiting -= size;
    this.#sent += size;
    const more = this.#sink!.data(whole ? piece : { data: data.subarray(0, size), chunk, final: false });
    if (more || this.#over) return;
    this.#blocked = true;
    this.#way.drained(() => {
      this.#blocked = false;
      this.#guarded(() => this.#run());
    });
  }

  #end(trailers: string): void {
    const done = this.#onDone;
    this.close();
    this.#sink!.end(trailers);
    done?.();
  }

  #endDue({ arrival, late }: Item, now: number): number {
    // Behind the last byte, which may have been slow itself.
    this.#next ??= { size: 0, due: late === 0 ? arrival : now + late };
    return this.#next.due;
  }

  get #progress(): Progress {
    const first = this.#queue[0];
    const next = first !== undefined && "piece" in first ? first.piece.data.length : 0;
    return { sent: this.#sent, next, total: this.#body.total };
  }

  #break(stage: BreakStage): void {
    this.#silent = true;
    this.#queue = [];
    this.#waiting = 0;
    this.#tellDrained();
    this.#way.fired(stage);
    const broken = () => {
      this.#over = true;
      this.#way.broken(stage);
    };
    if (stage.silence === Infinity) return;
    if (stage.silence > 0) this.#wake(stage.silence, broken);
    // What led to here must be over first: it may be in the middle of sending the head.
    else this.#wake(0, broken);
  }

  #wake(ms: number, step: () => void): void {
    this.#alarm.set(ms, () => this.#guarded(step));
  }

  #guarded(step: () => void): void {
    if (this.#way.guard === undefined) step();
    else this.#way.guard(step);
  }

  #tellDrained(): void {
    if (this.#onDrain === undefined) return;
    if (!this.#silent && !this.#over && (this.#waiting > this.#max / 2 || this.#blocked)) return;
    const callback = this.#onDrain;
    this.#onDrain = undefined;
    callback();
  }
}
