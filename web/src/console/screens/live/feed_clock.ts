// Tell whether the clock of this device agrees with the server's.
// Takes: the clock message and when it came. Gives: the difference, or 0 where it is of no matter; how far
// behind the picture is in our own seconds.
import type { Clock } from "./feed";

export const SKEW_MS_MIN = 5_000;

/** How far this device is ahead of the server, in ms; 0 below what matters. */
export function skewOf(clock: Clock | null): number {
  if (clock === null || clock.speed !== 1) return 0; // the day of a demo is another one than ours
  const skew_ms = clock.received_ms - (clock.at_ms + clock.lag_ms);
  return Math.abs(skew_ms) < SKEW_MS_MIN ? 0 : skew_ms;
}

/** How far the picture is behind, in ms of whoever looks at it. */
export function lagOf(clock: Clock): number {
  return clock.lag_ms / clock.speed;
}
