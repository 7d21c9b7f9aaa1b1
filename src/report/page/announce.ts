/**
 * Says something to those who listen to the page, and for a moment to those who look at it.
 *
 * @module
 */
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says it. */
export function announce(text: string): void {
  const place = document.getElementById("said");
  if (place === null) return;
  // The same words again are said again only when the place was empty before.
  place.textContent = "";
  requestAnimationFrame(() => place.textContent = text);
  clearTimeout(timer);
  timer = setTimeout(() => place.textContent = "", 4000);
}
