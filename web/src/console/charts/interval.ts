// Put intervals on a line.
// Takes: values with bounds, of which some are open. Gives: a scale that holds them and nought, places on
// it in per cent, and round ticks.

export interface Whisker {
  name: string;
  value: number | null;
  low: number | null;
  high: number | null;
}

export interface Line {
  low: number;
  high: number;
}

const MARGIN = 0.08;

/** The line that holds all known ends and nought, with room at both sides for arrows. */
export function lineOf(whiskers: readonly Whisker[]): Line {
  const known = whiskers.flatMap(({ value, low, high }) => [value, low, high]).filter((one) => one !== null);
  const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  const room = (high - low || 1) * MARGIN;
  return { low: low - room, high: high + room };
}

/** Where a value stands, in per cent from the left; what is open stands at the end. */
export function placeOf(value: number | null, line: Line, end: "low" | "high"): number {
  if (value === null) return end === "low" ? 0 : 100;
  return Math.max(0, Math.min(100, (100 * (value - line.low)) / (line.high - line.low)));
}

/** Some round values on the line, nought among them. */
export function ticksOn(line: Line, count = 5): readonly number[] {
  const raw = (line.high - line.low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw) ?? power * 10;
  const first = Math.ceil(line.low / step);
  const last = Math.floor(line.high / step);
  return Array.from({ length: last - first + 1 }, (_, place) => (first + place) * step || 0);
}
