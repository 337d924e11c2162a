// Know the plan that reports are drawn on.
// Takes: what getReportPlan says. Gives: cells with ground, paths for SVG, names and families of zones.
import type { components } from "../../kit/schema";

export type Plan = components["schemas"]["PlanDocument"];
export type PlanFloor = components["schemas"]["FloorDocument"];
export type PlanZone = components["schemas"]["PlanZoneDocument"];
type Point = readonly number[];

/** Which cells of a floor somebody can stand on, row by row from y = 0 up. */
export function groundOf(floor: Pick<PlanFloor, "columns" | "rows" | "ground_runs">): Uint8Array {
  const cells = new Uint8Array(floor.columns * floor.rows);
  let [place, isGround] = [0, 0];
  for (const run of floor.ground_runs) {
    cells.fill(isGround, place, place + run);
    place += run;
    isGround = 1 - isGround;
  }
  return cells;
}

/** A path for SVG, whose y runs down while that of the floor runs up. */
export function pathOf(points: readonly Point[], heightM: number, isClosed: boolean): string {
  const steps = points.map(([x = 0, y = 0], place) => `${place === 0 ? "M" : "L"}${x} ${heightM - y}`);
  return steps.join("") + (isClosed ? "Z" : "");
}

/** The middle of a ring's box: good enough for a label. */
export function middleOf(ring: readonly Point[]): { xM: number; yM: number } {
  const xs = ring.map(([x = 0]) => x);
  const ys = ring.map(([, y = 0]) => y);
  const mid = (values: readonly number[]): number => (Math.min(...values) + Math.max(...values)) / 2;
  return { xM: mid(xs), yM: mid(ys) };
}

/** How wide and high a ring's box is. */
export function extentOf(ring: readonly Point[]): { widthM: number; heightM: number } {
  const span = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
  return { widthM: span(ring.map(([x = 0]) => x)), heightM: span(ring.map(([, y = 0]) => y)) };
}

/** The name of a zone; one that the plan no longer knows is called by its id. */
export function zoneName(plan: Plan | null, zone: string | null): string {
  if (zone === null) return "";
  return plan?.zones.find((one) => one.zone === zone)?.name ?? zone;
}

/** The zones of one kind, by name. */
export function zonesOf(plan: Plan | null, kinds: readonly string[]): readonly PlanZone[] {
  const found = (plan?.zones ?? []).filter((zone) => kinds.includes(zone.kind));
  return found.toSorted((one, other) => one.name.localeCompare(other.name));
}
