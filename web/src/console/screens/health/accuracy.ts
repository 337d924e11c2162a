// Judge fixes against a place where somebody stands.
// Takes: fixes of one tag and the true place. Gives: how far they were off, and to which side.

export interface Place {
  floor: number;
  x_m: number;
  y_m: number;
}
export interface SeenFix extends Place {
  at: string;
  /** radius that holds the tag with 95 %, as the engine believes */
  radius_95_m: number;
}
export interface Accuracy {
  fixes: number;
  median_m: number;
  p95_m: number;
  /** mean of fix minus truth: a constant one is a place measured wrongly, or an anchor */
  bias_x_m: number;
  bias_y_m: number;
  /** share of fixes whose own 95 % circle holds the true place */
  within_own_radius: number;
  wrong_floor: number;
}

/** Take a fix once, however often it is read. */
export function withFix(fixes: readonly SeenFix[], fix: SeenFix): readonly SeenFix[] {
  return fixes.some((one) => one.at === fix.at) ? fixes : [...fixes, fix];
}

/** Judge; null where there is nothing to judge. */
export function accuracyOf(fixes: readonly SeenFix[], truth: Place): Accuracy | null {
  const here = fixes.filter((fix) => fix.floor === truth.floor);
  if (here.length === 0) return null;
  const errors = here.map((fix) => Math.hypot(fix.x_m - truth.x_m, fix.y_m - truth.y_m));
  const sorted = errors.toSorted((one, other) => one - other);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    fixes: here.length,
    median_m: quantile(sorted, 0.5),
    p95_m: quantile(sorted, 0.95),
    bias_x_m: mean(here.map((fix) => fix.x_m - truth.x_m)),
    bias_y_m: mean(here.map((fix) => fix.y_m - truth.y_m)),
    within_own_radius: mean(here.map((fix, place) => Number((errors[place] ?? 0) <= fix.radius_95_m))),
    wrong_floor: fixes.length - here.length,
  };
}

/** The value below which a share of sorted values lies, between neighbours in proportion. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
  return low + (high - low) * (place % 1);
}
