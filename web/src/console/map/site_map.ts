// Say what a site map consists of, as docs/site_map.md describes it: GeoJSON in local metres.
// Takes: the document of the API. Gives: typed features, floors and outlines to all screens with a map.

export type Point = readonly [number, number];
export type Line = readonly Point[];
export type PlanKind = "zone" | "fixture" | "wall" | "walkable" | "connector" | "anchor";
export const ZONE_KINDS = ["shelf", "bay_pair", "aisle", "category", "department", "entrance", "checkout"] as const;
export type ZoneKind = (typeof ZONE_KINDS)[number];
export const RADIOS = ["uwb", "ble"] as const;
export type Radio = (typeof RADIOS)[number];

export type PlanGeometry =
  | { type: "Point"; coordinates: readonly number[] }
  | { type: "LineString"; coordinates: Line }
  | { type: "Polygon"; coordinates: readonly Line[] };

export interface Stop {
  floor: number;
  at: Point;
}
export interface ZoneRules {
  dwell_thresholds_s?: readonly number[];
  [rule: string]: number | null | readonly number[] | undefined;
}
/** What a feature says of itself; which members count depends on `kind`. */
export interface PlanProperties {
  kind: PlanKind;
  floor?: number;
  name?: string;
  zone_kind?: ZoneKind;
  parent?: string;
  pair?: readonly string[];
  rules?: ZoneRules;
  near_m?: number;
  far_m?: number;
  radio?: Radio;
  gateway?: string;
  rssi_at_1m?: number;
  exponent?: number;
  range_bias_m?: number;
  range_slope?: number;
  yaw_deg?: number;
  connector_kind?: "stairs" | "escalator" | "lift";
  direction?: "both" | "up" | "down";
  stops?: readonly Stop[];
}
export interface PlanFeature {
  type: "Feature";
  id?: string;
  geometry: PlanGeometry | null;
  properties: PlanProperties;
}
export interface FloorEntry {
  floor: number;
  name: string;
  width_m: number;
  height_m: number;
}
export interface SiteMapDocument {
  type: "FeatureCollection";
  inaisle: {
    version: number;
    crs: "local";
    site: string;
    name: string;
    time_zone?: string;
    floors: readonly FloorEntry[];
    /** where the frame lies on the earth, for maps of other formats */
    georeference?: { lon: number; lat: number; rotation_deg: number };
  };
  features: readonly PlanFeature[];
}

export const STRIP_NEAR_M = 0.2;
export const STRIP_FAR_M = 1.2;

/** The floors, lowest first. */
export function floorsOf(document: SiteMapDocument): readonly FloorEntry[] {
  return [...document.inaisle.floors].sort((one, other) => one.floor - other.floor);
}

/** The entry of one floor; the lowest where there is no such floor. */
export function floorOf(document: SiteMapDocument, floor: number | null): FloorEntry {
  const floors = floorsOf(document);
  const found = floors.find((one) => one.floor === floor) ?? floors[0];
  return found ?? { floor: 0, name: "", width_m: 50, height_m: 30 };
}

/** Whether a feature is drawn on a floor; connectors are on each floor where they stop. */
export function isOn(feature: PlanFeature, floor: number): boolean {
  const { kind, stops } = feature.properties;
  if (kind === "connector") return (stops ?? []).some((stop) => stop.floor === floor);
  return (feature.properties.floor ?? 0) === floor;
}

/** The features of one floor, in the order of the document. */
export function featuresOn(document: SiteMapDocument, floor: number): readonly PlanFeature[] {
  return document.features.filter((feature) => isOn(feature, floor));
}

/** The strip where people stand before the face of a shelf: left of whoever walks along it. */
export function stripOf(face: Line, near_m = STRIP_NEAR_M, far_m = STRIP_FAR_M): Line {
  const [start, end] = face;
  if (start === undefined || end === undefined || face.length !== 2) return [];
  const length = Math.hypot(end[0] - start[0], end[1] - start[1]);
  if (length === 0) return [];
  const [left_x, left_y] = [(start[1] - end[1]) / length, (end[0] - start[0]) / length];
  const off = (point: Point, by_m: number): Point => [point[0] + left_x * by_m, point[1] + left_y * by_m];
  return [off(start, near_m), off(end, near_m), off(end, far_m), off(start, far_m)];
}

/** The outline of what covers ground, not closed; empty for lines, points and connectors. */
export function outlineOf(feature: PlanFeature): Line {
  const { geometry, properties } = feature;
  if (geometry?.type === "Polygon") return unclosed(geometry.coordinates[0] ?? []);
  if (geometry?.type === "LineString" && properties.kind === "zone")
    return stripOf(geometry.coordinates, properties.near_m, properties.far_m);
  return [];
}

/** A ring without the repeated last point. */
export function unclosed(ring: Line): Line {
  const [first, last] = [ring[0], ring[ring.length - 1]];
  const isClosed = ring.length > 1 && first?.[0] === last?.[0] && first?.[1] === last?.[1];
  return isClosed ? ring.slice(0, -1) : ring;
}

/** What people call it: its name, else its id. */
export function nameOf(feature: PlanFeature): string {
  return feature.properties.name ?? feature.id ?? feature.properties.kind;
}
