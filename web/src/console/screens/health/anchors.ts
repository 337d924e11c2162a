// Say how each anchor does, from two looks at the list.
// Takes: the anchors as the API tells them, before and now. Gives: rows with a rate and a state.
import type { components } from "../../../kit/schema";

export type Anchor = components["schemas"]["AnchorDocument"];
export type AnchorState = "alarm" | "silent" | "never" | "heard";

export interface Look {
  at_ms: number;
  anchors: readonly Anchor[];
}

export interface AnchorRow {
  anchor: string;
  radio: string;
  floor: number;
  gateway: string | null;
  /** readings a second between the two looks; null at the first one */
  rate_hz: number | null;
  silent_s: number | null;
  state: AnchorState;
  alarms: Anchor["alarms"];
}

/** An anchor that has been quiet for so long is worth a walk. */
export const QUIET_S = 60;

/** Rows in the order of need: alarms first, then the quiet ones. */
export function anchorRows(before: Look | null, now: Look): readonly AnchorRow[] {
  const counted = new Map(before?.anchors.map((one) => [one.anchor, one.readings]) ?? []);
  const passed_s = before === null ? 0 : (now.at_ms - before.at_ms) / 1_000;
  const rows = now.anchors.map((one): AnchorRow => {
    const earlier = counted.get(one.anchor);
    // a count that fell is a service that was started anew: no rate, and not a negative one
    const isCounted = earlier !== undefined && passed_s > 0 && one.readings >= earlier;
    const silent_s = one.silent_ms === null ? null : one.silent_ms / 1_000;
    return {
      anchor: one.anchor,
      radio: one.radio,
      floor: one.floor,
      gateway: one.gateway,
      rate_hz: isCounted ? (one.readings - earlier) / passed_s : null,
      silent_s,
      state: stateOf(one, silent_s),
      alarms: one.alarms,
    };
  });
  return rows.toSorted((one, other) => NEED.indexOf(one.state) - NEED.indexOf(other.state));
}

const NEED: readonly AnchorState[] = ["alarm", "silent", "never", "heard"];

function stateOf(anchor: Anchor, silent_s: number | null): AnchorState {
  if (anchor.alarms.length > 0) return "alarm";
  if (silent_s === null) return "never";
  return silent_s > QUIET_S ? "silent" : "heard";
}
