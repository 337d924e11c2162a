// Measure outlines: area, length, whether a point lies inside, where a label stands and how it turns.
// Takes: points in metres. Gives: numbers to the map, the live screen and the floor studio.
import type { Line, Point } from "./site_map";

const NARROW_RATIO = 1.6; // a strip that much longer than wide is read along its length

/** Twice the signed area: above 0 where the outline runs counter-clockwise. */
function doubled(outline: Line): number {
  let sum = 0;
  outline.forEach((point, index) => {
    const next = outline[(index + 1) % outline.length] as Point;
    sum += point[0] * next[1] - next[0] * point[1];
  });
  return sum;
}

/** Area of an outline in square metres. */
export function areaOf(outline: Line): number {
  return Math.abs(doubled(outline)) / 2;
}

/** Length of a line in metres. */
export function lengthOf(line: Line): number {
  let sum = 0;
  for (let index = 1; index < line.length; index++) {
    const [from, to] = [line[index - 1] as Point, line[index] as Point];
    sum += Math.hypot(to[0] - from[0], to[1] - from[1]);
  }
  return sum;
}

/** Whether a point lies inside (even-odd rule). */
export function isInside(outline: Line, x: number, y: number): boolean {
  let inside = false;
  for (let index = 0, before = outline.length - 1; index < outline.length; before = index++) {
    const [a, b] = [outline[index] as Point, outline[before] as Point];
    if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside;
  }
  return inside;
}

/** The smallest upright box: x0, y0, x1, y1. */
export function boxOf(points: Line): [number, number, number, number] {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

/** Where the weight of an outline lies; the middle of its box where it has no area. */
export function middleOf(outline: Line): Point {
  const double = doubled(outline);
  if (Math.abs(double) < 1e-9) {
    const [x0, y0, x1, y1] = boxOf(outline);
    return [(x0 + x1) / 2, (y0 + y1) / 2];
  }
  let [x, y] = [0, 0];
  outline.forEach((point, index) => {
    const next = outline[(index + 1) % outline.length] as Point;
    const weight = point[0] * next[1] - next[0] * point[1];
    x += (point[0] + next[0]) * weight;
    y += (point[1] + next[1]) * weight;
  });
  return [x / (3 * double), y / (3 * double)];
}

/** How a label lies in an outline: the angle in radians (clockwise, never upside down) and the room along it. */
export function labelLie(outline: Line): { angle: number; length_m: number } {
  let longest = { angle: 0, length_m: 0 };
  outline.forEach((point, index) => {
    const next = outline[(index + 1) % outline.length] as Point;
    const length_m = Math.hypot(next[0] - point[0], next[1] - point[1]);
    if (length_m > longest.length_m + 1e-6)
      longest = { angle: -Math.atan2(next[1] - point[1], next[0] - point[0]), length_m };
  });
  const width_m = areaOf(outline) / Math.max(longest.length_m, 1e-9);
  if (longest.length_m < NARROW_RATIO * width_m) {
    const [x0, , x1] = boxOf(outline);
    return { angle: 0, length_m: x1 - x0 };
  }
  return { angle: uprightAngle(longest.angle), length_m: longest.length_m };
}

/** Turn an angle by half a circle where a text would stand on its head. */
export function uprightAngle(angle: number): number {
  const turned = angle - Math.PI * Math.round(angle / Math.PI);
  return Math.PI / 2 - turned < 1e-9 ? -Math.PI / 2 : turned;
}
