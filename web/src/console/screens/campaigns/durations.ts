// Write seconds as a number of the largest whole unit, and back.

export const UNITS = ["s", "min", "h", "d"] as const;
export type Unit = (typeof UNITS)[number];
export const UNIT_S: Readonly<Record<Unit, number>> = { s: 1, min: 60, h: 3_600, d: 86_400 };

/** 7,200 seconds as 2 h. */
export function unitOf(seconds: number): Unit {
  const whole = [...UNITS].reverse().find((unit) => seconds > 0 && seconds % UNIT_S[unit] === 0);
  return whole ?? "s";
}
