// Turn a floor into lines of an SVG. Takes: metres with y up. Gives: paths with y down, in metres.
import type { Place, Plan } from "../api_types";

type Floor = Plan["floors"][number];
export type Point = readonly number[]; // x and y

export interface Drawing {
  width: number;
  height: number;
  walls: string;
  fixtures: string;
  ground: string;
}

const cm = (value: number): string => String(Math.round(value * 100) / 100);

/** One path; a ring is closed. */
export function pathOf(points: readonly Point[], heightM: number, isClosed: boolean): string {
  if (points.length === 0) return "";
  const steps = points.map(([x = 0, y = 0]) => `${cm(x)} ${cm(heightM - y)}`);
  return `M${steps.join("L")}${isClosed ? "z" : ""}`;
}

/** Everything of a floor that does not move. */
export function drawingOf(floor: Floor): Drawing {
  const all = (lines: readonly (readonly Point[])[], isClosed: boolean): string =>
    lines.map((line) => pathOf(line, floor.height_m, isClosed)).join("");
  return {
    width: floor.width_m,
    height: floor.height_m,
    walls: all(floor.walls, false),
    fixtures: all(floor.fixtures, true),
    ground: all(floor.walkable, true),
  };
}

/** The parts of a way on one floor, each a line; between them one is on another floor. */
export function linesOn(floor: number, line: readonly Place[]): readonly (readonly Point[])[] {
  const parts: Point[][] = [];
  let isHere = false;
  for (const place of line) {
    if (place.floor !== floor) {
      isHere = false;
      continue;
    }
    if (!isHere) parts.push([]);
    parts.at(-1)?.push([place.x_m, place.y_m]);
    isHere = true;
  }
  return parts.filter((part) => part.length > 1);
}

/** The middle of a ring, where its name stands. */
export function middleOf(ring: readonly Point[]): readonly [number, number] {
  const [xs, ys] = [ring.map(([x = 0]) => x), ring.map(([, y = 0]) => y)];
  return [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
}
