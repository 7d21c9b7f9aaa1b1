/**
 * How long each part of a flow took.
 *
 * @module
 */
import type { VNode } from "preact";
import type { FlowData } from "../data.ts";
import { clock, day, duration } from "./format.ts";
import { Facts } from "./fields.tsx";
import { PHASES, phasesOf } from "./waterfall.tsx";

/** The phases as bars, with their numbers. */
export function Timing({ flow }: { flow: FlowData }): VNode {
  const { timings } = flow;
  const phases = phasesOf(flow);
  const total = timings.end ?? phases.at(-1)?.to ?? 0;
  return (
    <>
      {phases.length === 0 ? <p class="hint">No times are known.</p> : (
        <table class="timing">
          <thead>
            <tr>
              <th scope="col">Phase</th>
              <th scope="col">From</th>
              <th scope="col">Took</th>
              <th scope="col">
                <span class="unseen">Bar</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {phases.map(({ name, from, to }) => (
              <tr key={name + from}>
                <th scope="row">
                  <i class={`swatch ${name}`} />
                  {PHASES[name]}
                </th>
                <td>{duration(from)}</td>
                <td>{duration(to - from)}</td>
                <td class="track">
                  <i
                    class={`phase ${name}`}
                    style={{ left: `${from / total * 100}%`, width: `${Math.max(0.4, (to - from) / total * 100)}%` }}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Facts
        facts={[
          ["Began", timings.start > 0 ? `${day(timings.start)}, ${clock(timings.start)}` : undefined],
          ["Took", timings.end === undefined ? flow.pending ? "still under way" : undefined : duration(timings.end)],
          [
            "Connection",
            timings.start > 0 && flow.server !== undefined && timings.connectStart === undefined
              ? "one that was open already"
              : undefined,
          ],
        ]}
      />
    </>
  );
}
