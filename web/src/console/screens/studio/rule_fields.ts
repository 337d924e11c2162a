// Read and write the rules of a zone as fields show them.
// Takes: texts of fields. Gives: rules; what is left empty keeps the default of the service.
import type { ZoneRules } from "../../map/site_map";

export const RULES = ["p_enter", "p_hold", "p_exit", "p_dwell", "min_enter_s", "exit_delay_s", "reset_after_s", "dwell_s_min", "grace_s", "exit_tolerance_m", "tolerance_timeout_s"] as const;
const THRESHOLDS_MAX = 4;

/** "30, 120; 300" as rising numbers, at most four; undefined where there are none. */
export function thresholdsOf(text: string): readonly number[] | undefined {
  const numbers = text.split(/[,;\s]+/).map(Number).filter((value) => Number.isFinite(value) && value > 0);
  const rising = [...new Set(numbers)].sort((one, other) => one - other).slice(0, THRESHOLDS_MAX);
  return rising.length === 0 ? undefined : rising;
}

/** The rules with one set, or taken away; undefined where none is left. */
export function withRule(rules: ZoneRules | undefined, name: string, value: number | readonly number[] | undefined): ZoneRules | undefined {
  const changed: ZoneRules = { ...rules };
  if (value === undefined) delete changed[name];
  else if (name === "dwell_thresholds_s" && Array.isArray(value)) changed.dwell_thresholds_s = value;
  else changed[name] = value;
  return Object.keys(changed).length === 0 ? undefined : changed;
}

/** Whether a text can be an id of a feature. */
export function isId(text: string): boolean {
  return /^[a-z0-9-]{1,63}$/.test(text);
}
