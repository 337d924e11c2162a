// Know the tools of the studio: what each draws, of how many points, by which key.
// Takes: a tool and the points set. Gives: whether it is done, and the feature it makes.
import type { Line, PlanFeature, PlanGeometry, PlanProperties } from "../../map/site_map";
import { closed, pointToMm } from "./edits";

export const TOOLS = ["select", "wall", "fixture", "face", "zone", "entrance", "checkout", "walkable", "anchor", "connector"] as const;
export type Tool = (typeof TOOLS)[number];

interface Plan {
  key: string;
  shape: "none" | "point" | "face" | "line" | "ground";
  stem: string;
  properties: PlanProperties;
}
const ANCHOR_HEIGHT_M = 3;

export const PLANS: Record<Tool, Plan> = {
  select: { key: "0", shape: "none", stem: "", properties: { kind: "wall" } },
  wall: { key: "1", shape: "line", stem: "wall", properties: { kind: "wall" } },
  fixture: { key: "2", shape: "ground", stem: "fixture", properties: { kind: "fixture" } },
  face: { key: "3", shape: "face", stem: "shelf", properties: { kind: "zone", zone_kind: "shelf" } },
  zone: { key: "4", shape: "ground", stem: "zone", properties: { kind: "zone", zone_kind: "aisle" } },
  entrance: { key: "5", shape: "ground", stem: "entrance", properties: { kind: "zone", zone_kind: "entrance" } },
  checkout: { key: "6", shape: "ground", stem: "checkout", properties: { kind: "zone", zone_kind: "checkout" } },
  walkable: { key: "7", shape: "ground", stem: "walkable", properties: { kind: "walkable" } },
  anchor: { key: "8", shape: "point", stem: "anchor", properties: { kind: "anchor", radio: "uwb" } },
  connector: { key: "9", shape: "point", stem: "lift", properties: { kind: "connector", connector_kind: "lift", direction: "both" } },
};

/** The tool of a key, or null. */
export function toolOf(key: string): Tool | null {
  return TOOLS.find((tool) => PLANS[tool].key === key) ?? null;
}

/** How many points a tool needs, and at how many it is done by itself. */
export function pointsNeeded(tool: Tool, isBox: boolean): { min: number; max: number } {
  const { shape } = PLANS[tool];
  if (shape === "none") return { min: Infinity, max: Infinity };
  if (shape === "point") return { min: 1, max: 1 };
  if (shape === "face") return { min: 2, max: 2 };
  if (shape === "line") return { min: 2, max: Infinity };
  return isBox ? { min: 2, max: 2 } : { min: 3, max: Infinity };
}

/** The points of what is drawn: two corners are a box. */
export function outlineDrawn(tool: Tool, points: Line, isBox: boolean): Line {
  const [from, to] = points;
  if (PLANS[tool].shape !== "ground" || !isBox || from === undefined || to === undefined) return points;
  const [x0, x1] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])];
  const [y0, y1] = [Math.min(from[1], to[1]), Math.max(from[1], to[1])];
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
}

/** The feature that a tool makes of its points. */
export function featureDrawn(tool: Tool, points: Line, given: { isBox: boolean; floor: number; id: string }): PlanFeature {
  const plan = PLANS[tool];
  const outline = outlineDrawn(tool, points, given.isBox).map(pointToMm);
  const isZone = plan.properties.kind === "zone";
  const isConnector = tool === "connector";
  const properties: PlanProperties = {
    ...plan.properties,
    ...(isZone || isConnector ? { name: given.id } : {}),
    ...(isConnector ? { stops: outline.slice(0, 1).map((at) => ({ floor: given.floor, at })) } : { floor: given.floor }),
  };
  return { type: "Feature", id: given.id, properties, geometry: isConnector ? null : geometryOf(plan.shape, outline) };
}

function geometryOf(shape: Plan["shape"], outline: Line): PlanGeometry {
  if (shape === "point") return { type: "Point", coordinates: [...(outline[0] ?? [0, 0]), ANCHOR_HEIGHT_M] };
  if (shape === "ground") return { type: "Polygon", coordinates: [closed(outline)] };
  return { type: "LineString", coordinates: outline };
}
