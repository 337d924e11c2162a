// Change the floors of a site map. Takes: the document. Gives: a new one.
import type { FloorEntry, SiteMapDocument } from "../../map/site_map";

const METRES_MAX = 2_000;

function withFloors(document: SiteMapDocument, floors: readonly FloorEntry[]): SiteMapDocument {
  return { ...document, inaisle: { ...document.inaisle, floors } };
}

/** The document with another name or size of one floor; sizes stay within what a building has. */
export function withFloor(document: SiteMapDocument, floor: number, change: Partial<Omit<FloorEntry, "floor">>): SiteMapDocument {
  const bounded = (metres: number): number => Math.min(METRES_MAX, Math.max(1, metres));
  return withFloors(
    document,
    document.inaisle.floors.map((entry) => {
      if (entry.floor !== floor) return entry;
      const next = { ...entry, ...change };
      return { ...next, width_m: bounded(next.width_m), height_m: bounded(next.height_m) };
    }),
  );
}

/** The document with one more floor on top, as large as the one below it. */
export function withFloorAdded(document: SiteMapDocument): { document: SiteMapDocument; floor: number } {
  const top = document.inaisle.floors.reduce<FloorEntry | null>((best, entry) => (best === null || entry.floor > best.floor ? entry : best), null);
  const floor = (top?.floor ?? -1) + 1;
  const entry: FloorEntry = { floor, name: String(floor), width_m: top?.width_m ?? 50, height_m: top?.height_m ?? 30 };
  return { document: withFloors(document, [...document.inaisle.floors, entry]), floor };
}
