// Catch a drawn point: by a corner, an edge, the axis of the last point, or the grid.
// Takes: the point, what there is to catch, and how far a catch reaches. Gives: the point and by what.
import type { Line, Point } from "../../map/site_map";
import { pointToMm } from "./edits";

export type CaughtBy = "corner" | "edge" | "axis" | "grid" | "nothing";
export interface SnapRules {
  reach_m: number;
  /** width of the grid; null where there is none */
  grid_m: number | null;
  /** with shift: keep to the horizontal or vertical through this point */
  axis_from: Point | null;
  lines: readonly Line[];
}
export interface Caught {
  point: Point;
  by: CaughtBy;
}

/** Where a point comes to lie. */
export function snapped(point: Point, rules: SnapRules): Caught {
  if (rules.axis_from !== null) return { point: pointToMm(onAxis(point, rules)), by: "axis" };
  const corner = nearestCorner(point, rules);
  if (corner !== null) return { point: corner, by: "corner" };
  const edge = nearestEdge(point, rules);
  if (edge !== null) return { point: pointToMm(edge), by: "edge" };
  if (rules.grid_m === null) return { point: pointToMm(point), by: "nothing" };
  return { point: pointToMm([onGrid(point[0], rules.grid_m), onGrid(point[1], rules.grid_m)]), by: "grid" };
}

/** On the axis of the last point; a corner within reach lends its other coordinate. */
function onAxis(point: Point, rules: SnapRules): Point {
  const from = rules.axis_from as Point;
  const isLevel = Math.abs(point[0] - from[0]) >= Math.abs(point[1] - from[1]);
  const free = isLevel ? 0 : 1;
  const corner = nearestCorner(point, rules);
  const along = corner?.[free] ?? (rules.grid_m === null ? point[free] : onGrid(point[free], rules.grid_m));
  return isLevel ? [along, from[1]] : [from[0], along];
}

function onGrid(value_m: number, grid_m: number): number {
  return Math.round(value_m / grid_m) * grid_m;
}

function nearestCorner(point: Point, rules: SnapRules): Point | null {
  let [best, found]: [number, Point | null] = [rules.reach_m, null];
  for (const line of rules.lines)
    for (const corner of line) {
      const distance = Math.hypot(corner[0] - point[0], corner[1] - point[1]);
      if (distance < best) [best, found] = [distance, corner];
    }
  return found;
}

function nearestEdge(point: Point, rules: SnapRules): Point | null {
  let [best, found]: [number, Point | null] = [rules.reach_m, null];
  for (const line of rules.lines)
    for (let index = 1; index < line.length; index++) {
      const foot = footOn(line[index - 1] as Point, line[index] as Point, point);
      const distance = Math.hypot(foot[0] - point[0], foot[1] - point[1]);
      if (distance < best) [best, found] = [distance, foot];
    }
  return found;
}

/** The point of a segment that is nearest to another point. */
export function footOn(from: Point, to: Point, point: Point): Point {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const square = dx * dx + dy * dy;
  const along = square === 0 ? 0 : ((point[0] - from[0]) * dx + (point[1] - from[1]) * dy) / square;
  const share = Math.min(1, Math.max(0, along));
  return [from[0] + dx * share, from[1] + dy * share];
}
