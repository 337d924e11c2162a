// Move, add and remove anchors of a site map, to see what it would bring.
// Takes: the document. Gives: a new one; nothing is saved.
import type { PlanFeature, Point, Radio, SiteMapDocument } from "../../map/site_map";
import { floorOf } from "../../map/site_map";
import { freshId, idsOf, moved, toMm, withFeatures, without } from "../studio/edits";

const HEIGHT_M = 3;

export function anchorsOn(document: SiteMapDocument, floor: number): readonly PlanFeature[] {
  return document.features.filter((feature) => feature.properties.kind === "anchor" && (feature.properties.floor ?? 0) === floor);
}

/** Where an anchor is: x, y, height. */
export function placeOf(anchor: PlanFeature): readonly [number, number, number] {
  const [x = 0, y = 0, z = HEIGHT_M] = anchor.geometry?.type === "Point" ? anchor.geometry.coordinates : [];
  return [x, y, z];
}

/** The anchor at another place, but never beside the floor. */
export function withAnchorAt(document: SiteMapDocument, anchor: PlanFeature, to: Point): SiteMapDocument {
  const floor = anchor.properties.floor ?? 0;
  const entry = floorOf(document, floor);
  const [x, y] = placeOf(anchor);
  const [to_x, to_y] = [Math.min(entry.width_m, Math.max(0, to[0])), Math.min(entry.height_m, Math.max(0, to[1]))];
  return withFeatures(document, [moved(anchor, floor, to_x - x, to_y - y)]);
}

/** One more anchor, of the radio that most of the floor have. */
export function withAnchorAdded(document: SiteMapDocument, floor: number, at: Point): SiteMapDocument {
  const id = freshId(idsOf(document), "new");
  const properties = { kind: "anchor", radio: usualRadio(document, floor), floor } as const;
  const anchor: PlanFeature = { type: "Feature", id, properties, geometry: { type: "Point", coordinates: [toMm(at[0]), toMm(at[1]), HEIGHT_M] } };
  return withFeatures(document, [anchor]);
}

export function withoutAnchor(document: SiteMapDocument, id: string): SiteMapDocument {
  return without(document, new Set([id]));
}

/** The anchors of one document in another: what was tried out, taken into the draft. */
export function withAnchorsOf(document: SiteMapDocument, tried: SiteMapDocument): SiteMapDocument {
  const others = document.features.filter((feature) => feature.properties.kind !== "anchor");
  return { ...document, features: [...others, ...tried.features.filter((feature) => feature.properties.kind === "anchor")] };
}

function usualRadio(document: SiteMapDocument, floor: number): Radio {
  const radios = anchorsOn(document, floor).map((anchor) => anchor.properties.radio);
  return radios.filter((radio) => radio === "ble").length > radios.length / 2 ? "ble" : "uwb";
}
