// Change a site map: pure functions from one document to the next, coordinates rounded to millimetres.
// Takes: the document and what is wished. Gives: a new document; the old one stays as it was, for undo.
import { boxOf } from "../../map/outlines";
import { isOn, unclosed, type Line, type PlanFeature, type PlanGeometry, type PlanProperties, type Point, type SiteMapDocument } from "../../map/site_map";

/** A number of metres to the millimetre: what a hand draws carries noise that no shop has. */
export function toMm(value_m: number): number {
  return Math.round(value_m * 1000) / 1000 + 0; // + 0 turns −0 into 0
}

export function pointToMm(point: Point): Point {
  return [toMm(point[0]), toMm(point[1])];
}

/** The points that can be taken hold of: outer ring without its repeated end, line, place, stop. */
export function pointsOf(feature: PlanFeature, floor: number): Line {
  const { geometry, properties } = feature;
  if (properties.kind === "connector") return (properties.stops ?? []).filter((stop) => stop.floor === floor).map((stop) => stop.at);
  if (geometry === null) return [];
  if (geometry.type === "Point") return [[geometry.coordinates[0] ?? 0, geometry.coordinates[1] ?? 0]];
  return geometry.type === "LineString" ? geometry.coordinates : unclosed(geometry.coordinates[0] ?? []);
}

/** The feature with other points; heights and holes stay. */
export function withPoints(feature: PlanFeature, points: Line, floor: number): PlanFeature {
  const { geometry, properties } = feature;
  const rounded = points.map(pointToMm);
  if (properties.kind === "connector") {
    const others = (properties.stops ?? []).filter((stop) => stop.floor !== floor);
    return { ...feature, properties: { ...properties, stops: [...others, ...rounded.map((at) => ({ floor, at }))] } };
  }
  if (geometry === null) return feature;
  return { ...feature, geometry: shaped(geometry, rounded) };
}

function shaped(geometry: PlanGeometry, points: Line): PlanGeometry {
  if (geometry.type === "Point") return { type: "Point", coordinates: [...(points[0] ?? [0, 0]), ...geometry.coordinates.slice(2)] };
  if (geometry.type === "LineString") return { type: "LineString", coordinates: points };
  return { type: "Polygon", coordinates: [closed(points), ...geometry.coordinates.slice(1)] };
}

/** A ring as GeoJSON has it: the first point again at its end. */
export function closed(points: Line): Line {
  return points[0] === undefined ? [] : [...points, points[0]];
}

/** Every point of a feature through a function, holes and stops of the floor too. */
export function mapped(feature: PlanFeature, floor: number, to: (point: Point) => Point): PlanFeature {
  const moved = withPoints(feature, pointsOf(feature, floor).map(to), floor);
  if (moved.geometry?.type !== "Polygon" || moved.geometry.coordinates.length < 2) return moved;
  const [outer, ...holes] = moved.geometry.coordinates;
  const through = holes.map((ring) => ring.map((point) => pointToMm(to(point))));
  return { ...moved, geometry: { type: "Polygon", coordinates: [outer ?? [], ...through] } };
}

export function moved(feature: PlanFeature, floor: number, dx_m: number, dy_m: number): PlanFeature {
  return mapped(feature, floor, ([x, y]) => [x + dx_m, y + dy_m]);
}

/** The feature turned counter-clockwise about a point. */
export function turned(feature: PlanFeature, floor: number, degrees: number, about: Point): PlanFeature {
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  return mapped(feature, floor, ([x, y]) => {
    const [dx, dy] = [x - about[0], y - about[1]];
    return [about[0] + dx * cos - dy * sin, about[1] + dx * sin + dy * cos];
  });
}

/** The box around features on a floor; null where they have no points there. */
export function boxAround(features: readonly PlanFeature[], floor: number): [number, number, number, number] | null {
  const points = features.flatMap((feature) => [...pointsOf(feature, floor)]);
  return points.length === 0 ? null : boxOf(points);
}

/** An id that no feature has: the stem with the next free number. */
export function freshId(taken: ReadonlySet<string>, stem: string): string {
  for (let number = 1; ; number++) {
    const id = `${stem}-${number}`;
    if (!taken.has(id)) return id;
  }
}

export function idsOf(document: SiteMapDocument): Set<string> {
  return new Set(document.features.flatMap((feature) => (feature.id === undefined ? [] : [feature.id])));
}

/** The document with an id for every feature: what cannot be named cannot be chosen. */
export function withIds(document: SiteMapDocument): SiteMapDocument {
  const taken = idsOf(document);
  const features = document.features.map((feature) => {
    if (feature.id !== undefined) return feature;
    const id = freshId(taken, feature.properties.kind);
    taken.add(id);
    return { ...feature, id };
  });
  return { ...document, features };
}

/** The document with features changed or, where their ids are new, added. */
export function withFeatures(document: SiteMapDocument, changed: readonly PlanFeature[]): SiteMapDocument {
  const by = new Map(changed.map((feature) => [feature.id, feature]));
  const features = document.features.map((feature) => by.get(feature.id) ?? feature);
  const known = idsOf(document);
  return { ...document, features: [...features, ...changed.filter((feature) => !known.has(feature.id ?? ""))] };
}

export function without(document: SiteMapDocument, ids: ReadonlySet<string>): SiteMapDocument {
  return { ...document, features: document.features.filter((feature) => !ids.has(feature.id ?? "")) };
}

/** The document where a feature has another id; who names it as parent or pair follows. */
export function renamed(document: SiteMapDocument, from: string, to: string): SiteMapDocument {
  const follow = (name: string): string => (name === from ? to : name);
  const features = document.features.map((feature) => {
    const { parent, pair } = feature.properties;
    const properties: PlanProperties = {
      ...feature.properties,
      ...(parent === undefined ? {} : { parent: follow(parent) }),
      ...(pair === undefined ? {} : { pair: pair.map(follow) }),
    };
    return { ...feature, ...(feature.id === from ? { id: to } : {}), properties };
  });
  return { ...document, features };
}

/** The feature with a property set; undefined or empty takes it away. */
export function withProperty<K extends keyof PlanProperties>(feature: PlanFeature, name: K, value: PlanProperties[K] | undefined): PlanFeature {
  const properties = { ...feature.properties };
  if (value === undefined || value === "") delete properties[name];
  else properties[name] = value;
  return { ...feature, properties };
}

/** Corners of a floor that a new point may catch, but not those of features that are moved. */
export function cornersOn(document: SiteMapDocument, floor: number, but: ReadonlySet<string>): readonly Line[] {
  return document.features
    .filter((feature) => isOn(feature, floor) && !but.has(feature.id ?? ""))
    .map((feature) => {
      const points = pointsOf(feature, floor);
      return feature.geometry?.type === "Polygon" ? closed(points) : points;
    });
}
