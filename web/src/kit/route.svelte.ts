// Know which screen the address names.
// Takes: the part of the address behind #. Gives: the path and its parameters, and ways to go elsewhere.

export interface Place {
  /** "live" of #/live?floor=1 */
  screen: string;
  /** what stands behind the screen: ["o-1"] of #/offer/o-1 */
  rest: readonly string[];
  query: URLSearchParams;
}

/** Read the part of an address behind #. */
export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [screen = "", ...rest] = path.split("/").map((part) => safelyDecoded(part));
  return { screen, rest, query: new URLSearchParams(query) };
}

function safelyDecoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // an address that somebody mistyped is shown as unknown, not as a crash
  }
}

/** Write an address; parameters without a value are left out. */
export function hashOf(path: string, query: Record<string, string | number | null> = {}): string {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== "");
  const text = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return `#/${path}${text === "" ? "" : `?${text}`}`;
}

class RouteState {
  place = $state.raw<Place>(placeOf(globalThis.location?.hash ?? ""));

  constructor() {
    globalThis.addEventListener?.("hashchange", () => {
      this.place = placeOf(location.hash);
    });
  }

  go(path: string, query: Record<string, string | number | null> = {}): void {
    location.hash = hashOf(path, query);
  }

  /** Change parameters without a new entry in the history: filters, not places. */
  refine(query: Record<string, string | number | null>): void {
    const merged = { ...Object.fromEntries(this.place.query), ...query };
    const path = [this.place.screen, ...this.place.rest].map(encodeURIComponent).join("/");
    history.replaceState(null, "", hashOf(path, merged));
    this.place = placeOf(location.hash);
  }
}

export const route = new RouteState();
