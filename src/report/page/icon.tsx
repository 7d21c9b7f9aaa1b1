/**
 * The few pictures of the page: drawn on 16 by 16, in the colour of the text.
 *
 * @module
 */
import type { VNode } from "preact";

const PATHS = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3 13.5 13.5",
  copy: "M6 5.5h6.5v8H6zM3.5 10.5v-8H10",
  down: "m4 6 4 4 4-4",
  up: "m4 10 4-4 4 4",
  close: "m4 4 8 8m0-8-8 8",
  auto: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 1 0 0-11Z",
  light:
    "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M13 3l-1.2 1.2M4.2 11.8 3 13",
  dark: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z",
  link:
    "M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2-2a2.6 2.6 0 1 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0l-2 2a2.6 2.6 0 1 0 3.7 3.7l.8-.8",
  sent: "M8 13V3.5M4.2 7.2 8 3.4l3.8 3.8",
  received: "M8 3v9.5M4.2 8.8 8 12.6l3.8-3.8",
  check: "m3 8.5 3.2 3.2L13 5",
  help: "M5.8 6a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 12v.4",
} as const;

/** The name of a picture. */
export type IconName = keyof typeof PATHS;

/** A picture. It says nothing that is not said in words beside it. */
export function Icon({ name }: { name: IconName }): VNode {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
      {name === "auto" && <path class="half" d="M8 2.5a5.5 5.5 0 0 1 0 11Z" />}
    </svg>
  );
}
