// Copy features in a row: "12 shelves every 6 m, both sides".
// Takes: features, how many, how far apart, whether each has a twin across an aisle. Gives: new features
// with ids and names of their own; parents among the copied are followed.
import type { PlanFeature, Point } from "../../map/site_map";
import { boxAround, freshId, mapped, moved } from "./edits";

export const COPIES_MAX = 200;
export interface ArrayWish {
  /** how many there are in the end, with the first */
  count: number;
  step_m: number;
  direction: "right" | "up" | "left" | "down";
  /** each gets a mirror image across an aisle of this width, in the direction of the row */
  twin_aisle_m: number | null;
}
const WAYS = { right: [1, 0], up: [0, 1], left: [-1, 0], down: [0, -1] } as const;

/** The copies alone: the features themselves stay where they are. */
export function copiesOf(features: readonly PlanFeature[], floor: number, wish: ArrayWish, taken: ReadonlySet<string>): readonly PlanFeature[] {
  const ids = new Set(taken);
  const [way_x, way_y] = WAYS[wish.direction];
  const groups: PlanFeature[][] = [];
  const twins = wish.twin_aisle_m === null ? null : mirrored(features, floor, wish, wish.twin_aisle_m);
  if (twins !== null) groups.push(twins);
  for (let number = 1; number < Math.min(wish.count, COPIES_MAX); number++) {
    const by = (feature: PlanFeature): PlanFeature => moved(feature, floor, number * wish.step_m * way_x, number * wish.step_m * way_y);
    groups.push(features.map(by));
    if (twins !== null) groups.push(twins.map(by));
  }
  return groups.flatMap((group) => renamedGroup(group, ids));
}

/** A group with fresh ids; who belonged to another of the group belongs to its copy. */
function renamedGroup(group: readonly PlanFeature[], taken: Set<string>): readonly PlanFeature[] {
  const fresh = new Map<string, string>();
  for (const feature of group) {
    const stem = (feature.id ?? feature.properties.kind).replace(/-\d+$/, "");
    const id = freshId(taken, stem);
    taken.add(id);
    fresh.set(feature.id ?? "", id);
  }
  return group.map((feature) => {
    const { parent, pair, name } = feature.properties;
    const id = fresh.get(feature.id ?? "") ?? "";
    return {
      ...feature,
      id,
      properties: {
        ...feature.properties,
        ...(parent === undefined ? {} : { parent: fresh.get(parent) ?? parent }),
        ...(pair === undefined ? {} : { pair: pair.map((one) => fresh.get(one) ?? one) }),
        ...(name === undefined ? {} : { name: numbered(name, id) }),
      },
    };
  });
}

/** "Dowels" as "Dowels 2" where the id ends with 2. */
function numbered(name: string, id: string): string {
  const number = /-(\d+)$/.exec(id)?.[1] ?? "";
  return `${name.replace(/ \d+$/, "")} ${number}`.trim();
}

function mirrored(features: readonly PlanFeature[], floor: number, wish: ArrayWish, aisle_m: number): PlanFeature[] {
  const box = boxAround(features, floor);
  if (box === null) return [];
  const isAlongX = wish.direction === "right" || wish.direction === "left";
  const isRising = wish.direction === "right" || wish.direction === "up";
  const [low, high] = isAlongX ? [box[0], box[2]] : [box[1], box[3]];
  const axis = isRising ? high + aisle_m / 2 : low - aisle_m / 2;
  const across = ([x, y]: Point): Point => (isAlongX ? [2 * axis - x, y] : [x, 2 * axis - y]);
  return features.map((feature) => facing(mapped(feature, floor, across)));
}

/** A mirror turns left into right: the face of a shelf is walked the other way, so that its strip stays in front. */
function facing(feature: PlanFeature): PlanFeature {
  const { geometry } = feature;
  if (geometry?.type === "LineString") return { ...feature, geometry: { type: "LineString", coordinates: [...geometry.coordinates].reverse() } };
  if (geometry?.type === "Polygon")
    return { ...feature, geometry: { type: "Polygon", coordinates: geometry.coordinates.map((ring) => [...ring].reverse()) } };
  return feature;
}
