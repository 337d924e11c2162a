// Say how long something is still good. Takes: instants. Gives: whole units, coarse while far away.

export type Left =
  | { unit: "over" }
  | { unit: "days" | "hours"; count: number }
  | { unit: "clock"; text: string };

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const DAY = 24 * HOUR;
const CLOCK_BELOW = HOUR; // below that each second counts for who stands at the till

/** Return what is left until an instant, rounded down, so that nobody comes too late. */
export function leftUntil(untilMs: number, nowMs: number): Left {
  const left = untilMs - nowMs;
  if (!(left > 0)) return { unit: "over" };
  if (left >= 2 * DAY) return { unit: "days", count: Math.floor(left / DAY) };
  if (left >= CLOCK_BELOW) return { unit: "hours", count: Math.floor(left / HOUR) };
  const seconds = Math.floor(left / SECOND);
  const rest = String(seconds % 60).padStart(2, "0");
  return { unit: "clock", text: `${Math.floor(left / MINUTE)}:${rest}` };
}
