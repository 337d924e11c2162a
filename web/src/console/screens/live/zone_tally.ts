// Count who is in which zone, and for how long this page has seen them there: the map as a table.
// Takes: the crowd once a second, the zones of the floor. Gives: rows, fullest zone first.
import { boxOf, isInside } from "../../map/outlines";
import { featuresOn, nameOf, outlineOf, type Line, type SiteMapDocument, type ZoneKind } from "../../map/site_map";
import type { Crowd } from "./crowd";

const GAP_MS_MAX = 10_000; // who was away no longer has stayed

export interface ZoneRow {
  zone: string;
  name: string;
  kind: ZoneKind;
  people: number;
  dwell_s_median: number;
  dwell_s_max: number;
}
interface Watched {
  zone: string;
  name: string;
  kind: ZoneKind;
  outline: Line;
  box: readonly [number, number, number, number];
  since: Map<string, { from_ms: number; seen_ms: number }>;
}

export class ZoneTally {
  private readonly zones: readonly Watched[];

  constructor(document: SiteMapDocument, floor: number) {
    this.zones = featuresOn(document, floor)
      .filter((one) => one.properties.kind === "zone" && outlineOf(one).length > 2)
      .map((one) => {
        const outline = outlineOf(one);
        const kind = one.properties.zone_kind ?? "department";
        return { zone: one.id ?? "", name: nameOf(one), kind, outline, box: boxOf(outline), since: new Map() };
      });
  }

  /** Count the crowd at a time of the events. */
  count(crowd: Crowd, now_ms: number): readonly ZoneRow[] {
    for (const zone of this.zones) this.look(zone, crowd, now_ms);
    return this.zones
      .map((zone) => rowOf(zone, now_ms))
      .filter((row) => row.people > 0)
      .sort((one, other) => other.people - one.people || one.name.localeCompare(other.name));
  }

  /** The zones that a place is in, finest first as the map has the coarse ones first. */
  namesAt(x_m: number, y_m: number): readonly string[] {
    const found = this.zones.filter((zone) => isInBox(zone.box, x_m, y_m) && isInside(zone.outline, x_m, y_m));
    return found.map((zone) => zone.name).reverse();
  }

  private look(zone: Watched, crowd: Crowd, now_ms: number): void {
    for (let slot = 0; slot < crowd.count; slot++) {
      const [x, y] = [crowd.x[slot] as number, crowd.y[slot] as number];
      if (!isInBox(zone.box, x, y) || !isInside(zone.outline, x, y)) continue;
      const ref = crowd.refs[slot] as string;
      const known = zone.since.get(ref);
      const isBack = known !== undefined && known.seen_ms <= now_ms && now_ms - known.seen_ms <= GAP_MS_MAX;
      if (isBack) known.seen_ms = now_ms;
      else zone.since.set(ref, { from_ms: now_ms, seen_ms: now_ms });
    }
    for (const [ref, stay] of zone.since)
      if (now_ms - stay.seen_ms > GAP_MS_MAX || stay.seen_ms > now_ms) zone.since.delete(ref);
  }
}

function isInBox(box: readonly [number, number, number, number], x: number, y: number): boolean {
  return x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3];
}

function rowOf(zone: Watched, now_ms: number): ZoneRow {
  const dwells_s: number[] = [];
  for (const stay of zone.since.values()) if (stay.seen_ms === now_ms) dwells_s.push((now_ms - stay.from_ms) / 1000);
  dwells_s.sort((one, other) => one - other);
  return {
    zone: zone.zone,
    name: zone.name,
    kind: zone.kind,
    people: dwells_s.length,
    dwell_s_median: medianOf(dwells_s),
    dwell_s_max: dwells_s[dwells_s.length - 1] ?? 0,
  };
}

/** The middle of sorted values; 0 of none. */
export function medianOf(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
