// Rules of the health screen: which anchor needs somebody, and how far fixes were off.
import { describe, expect, it } from "vitest";

import { accuracyOf, withFix, type SeenFix } from "../../../src/console/screens/health/accuracy";
import { anchorRows, type Anchor } from "../../../src/console/screens/health/anchors";

const ANCHOR: Anchor = {
  anchor: "a-1",
  radio: "uwb",
  floor: 0,
  gateway: null,
  readings: 100,
  last_heard_at_ms: 1,
  silent_ms: 200,
  alarms: [],
};

describe("anchorRows", () => {
  it("counts readings between two looks", () => {
    const before = { at_ms: 0, anchors: [ANCHOR] };
    const now = { at_ms: 5_000, anchors: [{ ...ANCHOR, readings: 150 }] };
    expect(anchorRows(before, now)[0]?.rate_hz).toBe(10);
    expect(anchorRows(null, now)[0]?.rate_hz).toBeNull();
  });

  it("shows no rate below zero when the service was started anew", () => {
    const before = { at_ms: 0, anchors: [ANCHOR] };
    const now = { at_ms: 5_000, anchors: [{ ...ANCHOR, readings: 3 }] };
    expect(anchorRows(before, now)[0]?.rate_hz).toBeNull();
  });

  it("puts those in need first", () => {
    const alarm = { kind: "biased", since_ms: 1, figure: 4.2 };
    const anchors = [
      ANCHOR,
      { ...ANCHOR, anchor: "quiet", silent_ms: 90_000 },
      { ...ANCHOR, anchor: "never", silent_ms: null, last_heard_at_ms: null },
      { ...ANCHOR, anchor: "moved", alarms: [alarm] },
    ];
    const rows = anchorRows(null, { at_ms: 0, anchors });
    expect(rows.map((row) => row.anchor)).toEqual(["moved", "quiet", "never", "a-1"]);
  });
});

describe("accuracyOf", () => {
  const TRUTH = { floor: 0, x_m: 10, y_m: 5 };
  const fix = (at: string, x_m: number, y_m: number, floor = 0): SeenFix => ({ at, x_m, y_m, floor, radius_95_m: 1 });

  it("tells error, offset and whether the engine's own radius was honest", () => {
    const found = accuracyOf([fix("1", 10.3, 5.4), fix("2", 10.3, 5.4), fix("3", 13, 9)], TRUTH);
    expect(found?.median_m).toBeCloseTo(0.5);
    expect(found?.p95_m).toBeCloseTo(4.55);
    expect(found?.bias_x_m).toBeCloseTo(1.2);
    expect(found?.within_own_radius).toBeCloseTo(2 / 3);
  });

  it("counts a fix on another floor as wrong, not as near", () => {
    expect(accuracyOf([fix("1", 10, 5, 1)], TRUTH)).toBeNull();
    expect(accuracyOf([fix("1", 10, 5), fix("2", 10, 5, 1)], TRUTH)?.wrong_floor).toBe(1);
  });

  it("takes each fix once, however often it was read", () => {
    expect(withFix([fix("1", 0, 0)], fix("1", 0, 0))).toHaveLength(1);
  });
});
