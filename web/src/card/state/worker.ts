// Have the service worker keep the page, and hear what it has to say.
// Takes: /card/sw.js of the build. Gives: a page that opens without a line; a click on a push goes to its offer.
import { hashOf } from "../../kit/route.svelte";

export const TAKE_OVER = "take-over";

/** Register the worker; a new one takes over now, while nothing has been typed yet. */
export function keepWithoutLine(): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  const hadOne = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (hadOne) location.reload();
  });
  navigator.serviceWorker.addEventListener("message", (event: MessageEvent<unknown>) => {
    const offer = offerOf(event.data);
    if (offer !== null) location.hash = hashOf(`offer/${encodeURIComponent(offer)}`);
  });
  void navigator.serviceWorker
    .register("/card/sw.js", { scope: "/card/" })
    .then((found) => found.waiting?.postMessage(TAKE_OVER))
    .catch(() => undefined); // a browser that forbids workers shows the page all the same
}

function offerOf(message: unknown): string | null {
  if (typeof message !== "object" || message === null) return null;
  const offer = (message as Record<string, unknown>)["open_offer"];
  return typeof offer === "string" ? offer : null;
}
