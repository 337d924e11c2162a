// Say how the features of a plan are drawn.
// Takes: features and the colours of now. Gives: OpenLayers styles; names turn along narrow shelves.
import LineString from "ol/geom/LineString";
import Point from "ol/geom/Point";
import type { FeatureLike } from "ol/Feature";
import Fill from "ol/style/Fill";
import RegularShape from "ol/style/RegularShape";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import Text from "ol/style/Text";

import { labelLie, middleOf } from "./outlines";
import type { Palette } from "./palette";
import { nameOf, outlineOf, type PlanFeature } from "./site_map";

export const PLAN_LAYERS = ["walkable", "zones", "fixtures", "walls", "anchors", "names"] as const;
export type PlanLayer = (typeof PLAN_LAYERS)[number];
export type StyleOf = (feature: FeatureLike, resolution: number) => Style | Style[] | undefined;

const FONT = "system-ui, sans-serif";
const LETTER_SHARE = 0.56; // of the font's size: how wide a letter is on average
const NAMED = new Set(["shelf", "department", "entrance", "checkout"]);
const SMALL_PX = 11;
const LARGE_PX = 13;

/** The plan's own feature behind one of the map. */
export function planOf(feature: FeatureLike): PlanFeature {
  return feature.get("plan") as PlanFeature;
}

/** The styles of all layers of the plan in the given colours. */
export function stylesOf(palette: Palette): Record<PlanLayer, StyleOf> {
  const wall = new Style({ stroke: new Stroke({ color: palette.ink, width: 2.5, lineCap: "square" }) });
  const fixture = new Style({
    fill: new Fill({ color: palette.fixture }),
    stroke: new Stroke({ color: palette.inkSoft, width: 1 }),
  });
  const walkable = new Style({ fill: new Fill({ color: palette.floor }) });
  return {
    walkable: () => walkable,
    fixtures: () => fixture,
    walls: () => wall,
    zones: zoneStyle(palette),
    anchors: anchorStyle(palette),
    names: nameStyle(palette),
  };
}

function zoneStyle(palette: Palette): StyleOf {
  const fill = new Fill({ color: palette.zoneGround });
  const shelf = new Style({ fill, stroke: new Stroke({ color: palette.zone, width: 1 }) });
  const face = new Style({ stroke: new Stroke({ color: palette.zone, width: 3 }) });
  const around = new Style({ stroke: new Stroke({ color: palette.zone, width: 1, lineDash: [5, 4] }) });
  return (feature) => {
    if (feature.getGeometry() instanceof LineString) return face;
    return planOf(feature).properties.zone_kind === "shelf" ? shelf : around;
  };
}

function anchorStyle(palette: Palette): StyleOf {
  const image = (points: number): RegularShape =>
    new RegularShape({
      points,
      radius: 6,
      angle: points === 4 ? Math.PI / 4 : 0,
      fill: new Fill({ color: palette.anchor }),
      stroke: new Stroke({ color: palette.floor, width: 1.5 }),
    });
  const [ranging, strength] = [new Style({ image: image(3) }), new Style({ image: image(4) })];
  const connector = new Style({
    text: new Text({ text: "⇅", font: `bold 16px ${FONT}`, fill: new Fill({ color: palette.ink }) }),
  });
  return (feature) => {
    const { kind, radio } = planOf(feature).properties;
    if (kind === "connector") return connector;
    return radio === "uwb" ? ranging : strength;
  };
}

function nameStyle(palette: Palette): StyleOf {
  const made = new Map<FeatureLike, { style: Style; room_m: number; letters: number; size: number }>();
  return (feature, resolution) => {
    let known = made.get(feature);
    if (known === undefined) {
      known = labelOf(planOf(feature), palette);
      made.set(feature, known);
    }
    const fits = known.letters * LETTER_SHARE * known.size * resolution <= known.room_m * 1.15;
    return fits ? known.style : undefined;
  };
}

function labelOf(
  plan: PlanFeature,
  palette: Palette,
): { style: Style; room_m: number; letters: number; size: number } {
  const outline = outlineOf(plan);
  const lie = labelLie(outline);
  const isShelf = plan.properties.zone_kind === "shelf";
  const size = isShelf ? SMALL_PX : LARGE_PX;
  const name = nameOf(plan);
  const style = new Style({
    geometry: new Point([...middleOf(outline)]),
    text: new Text({
      text: name,
      font: `${isShelf ? "" : "600 "}${size}px ${FONT}`,
      rotation: lie.angle,
      fill: new Fill({ color: palette.ink }),
      stroke: new Stroke({ color: palette.label, width: 3 }),
      overflow: true,
    }),
    zIndex: isShelf ? 1 : 2,
  });
  return { style, room_m: lie.length_m, letters: name.length, size };
}

/** Whether a zone's name is written on the map: of all levels it would be a carpet of words. */
export function isNamed(plan: PlanFeature): boolean {
  const { kind, zone_kind } = plan.properties;
  return kind === "zone" && zone_kind !== undefined && NAMED.has(zone_kind) && outlineOf(plan).length > 2;
}
