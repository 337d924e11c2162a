// Decide what the service worker answers by itself. Takes: an address. Gives: the file that is kept.

export const CACHE_PREFIX = "inaisle-card-";

/**
 * Return which of the kept files answers a request, or null: the network does.
 *
 * What the API says is never kept by the worker: it is about a person, and the page keeps what is
 * to be seen without a line itself.
 */
export function keptFileOf(
  request: { url: string; method: string; isNavigation: boolean },
  origin: string,
  kept: ReadonlySet<string>,
): string | null {
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== origin) return null;
  if (request.isNavigation) return address.pathname.startsWith("/card/") ? "/card/" : null;
  return kept.has(address.pathname) ? address.pathname : null;
}

/** The caches of earlier builds. */
export function outdated(names: readonly string[], current: string): readonly string[] {
  return names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== current);
}
