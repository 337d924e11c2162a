// The service worker of the card: keeps the page without a line, and shows pushes.
// Takes: the list of files that the build writes. Gives: answers from the cache; notifications.
import { CACHE_PREFIX, keptFileOf, outdated } from "./kept_files";
import { addressOf, pushedOf } from "./pushed";

declare const __KEPT_FILES__: readonly string[];
declare const __BUILD__: string;
declare const self: ServiceWorkerGlobalScope;

const CACHE = CACHE_PREFIX + __BUILD__;
const KEPT = new Set(__KEPT_FILES__);

self.addEventListener("install", (event) => {
  const fresh = __KEPT_FILES__.map((file) => new Request(file, { cache: "no-cache" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => {
  const tidy = async (): Promise<void> => {
    await Promise.all(outdated(await caches.keys(), CACHE).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener("fetch", (event) => {
  const { url, method, mode } = event.request;
  const request = { url, method, isNavigation: mode === "navigate" };
  const file = keptFileOf(request, self.location.origin, KEPT);
  if (file === null) return;
  const answer = async (): Promise<Response> => {
    const found = await (await caches.open(CACHE)).match(file);
    return found ?? fetch(event.request);
  };
  event.respondWith(answer());
});

self.addEventListener("message", (event) => {
  if (event.data === "take-over") void self.skipWaiting();
});

self.addEventListener("push", (event) => {
  const { offer, title, body, lang } = pushedOf(event.data?.text());
  const options: NotificationOptions = {
    body,
    lang,
    icon: "/card/icon-192.png",
    badge: "/card/icon-192.png",
    data: { offer },
    ...(offer === null ? {} : { tag: offer }),
  };
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const offer = (event.notification.data as { offer: string | null } | null)?.offer ?? null;
  const open = async (): Promise<void> => {
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const card = windows.find((one) => new URL(one.url).pathname.startsWith("/card/"));
    if (card === undefined) {
      await self.clients.openWindow(addressOf(offer));
      return;
    }
    if (offer !== null) card.postMessage({ open_offer: offer });
    await card.focus();
  };
  event.waitUntil(open());
});
