/**
 * Whether the page is being printed: then what is scrolled to on a screen is there as a whole.
 *
 * @module
 */
import { options } from "preact";
import { useEffect, useState } from "preact/hooks";

/** True while it is printed. */
export function usePrinting(): boolean {
  const query = matchMedia("print");
  const [printing, setPrinting] = useState(query.matches);
  useEffect(() => {
    const change = () => atOnce(() => setPrinting(query.matches));
    const before = () => atOnce(() => setPrinting(true));
    const after = () => setPrinting(false);
    query.addEventListener("change", change);
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    return () => {
      query.removeEventListener("change", change);
      removeEventListener("beforeprint", before);
      removeEventListener("afterprint", after);
    };
  }, []);
  return printing;
}

/** The browser takes the page as it is when the listeners return: nothing may wait. */
function atOnce(change: () => void): void {
  const { debounceRendering } = options;
  options.debounceRendering = (render) => render();
  change();
  options.debounceRendering = debounceRendering;
}
