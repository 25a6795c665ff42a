/**
 * Keeps a page of the viewer up to date, in the browser.
 * @module
 */
const places = [...document.querySelectorAll<HTMLElement>("[data-live]")];
const events = new EventSource("/events");
events.addEventListener("boards", (event) => {
  const boards = JSON.parse((event as MessageEvent<string>).data) as Record<string, string>;
  for (const place of places) {
    const text = boards[place.dataset["live"] ?? ""];
    if (text !== undefined && place.textContent !== text) place.textContent = text;
  }
});
events.addEventListener("changed", () => location.reload());
