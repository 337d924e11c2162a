// Charts: intervals with open ends, flows in circles, funnels with withheld steps.
import { describe, expect, it } from "vitest";

import { lineOf, placeOf, ticksOn } from "../../src/console/charts/interval";
import { largest, sankeyOf } from "../../src/console/charts/sankey";
import { changeOf, stepRows, type FunnelBody } from "../../src/console/screens/funnel/funnel";
import { isMoney, liftRows, newSalt, toneOf, type ExperimentReport } from "../../src/console/screens/experiments/experiment_report";

describe("a line of intervals", () => {
  const whiskers = [
    { name: "a", value: 2, low: -1, high: 5 },
    { name: "b", value: 1, low: null, high: null },
  ];

  it("holds nought and every known end, and open ends reach its border", () => {
    const line = lineOf(whiskers);
    expect(line.low).toBeLessThan(-1);
    expect(line.high).toBeGreaterThan(5);
    expect([placeOf(null, line, "low"), placeOf(null, line, "high")]).toEqual([0, 100]);
    expect(placeOf((line.low + line.high) / 2, line, "low")).toBeCloseTo(50);
  });

  it("has round ticks, nought among them", () => {
    expect(ticksOn({ low: -1.4, high: 5.4 })).toEqual([0, 2, 4]);
    expect(ticksOn({ low: -130, high: 40 })).toContain(0);
  });

  it("of nothing known is still a line", () => {
    const line = lineOf([{ name: "a", value: null, low: null, high: null }]);
    expect(line.high).toBeGreaterThan(line.low);
  });
});

describe("flows", () => {
  const flows = [
    { from: "a", to: "b", visitors: 20 },
    { from: "b", to: "a", visitors: 10 },
    { from: "a", to: "a", visitors: 15 },
  ];

  it("in circles are laid out too, as wide as they are large", () => {
    const { boxes, ribbons } = sankeyOf(flows, { width: 300, height: 200 });
    expect(boxes.filter((box) => box.side === "from").map((box) => box.zone).sort()).toEqual(["a", "b"]);
    const [ab, ba] = [ribbons.find((one) => one.from === "a" && one.to === "b"), ribbons.find((one) => one.from === "b")];
    expect((ab?.width ?? 0) / (ba?.width ?? 1)).toBeCloseTo(2);
  });

  it("of nobody make no drawing", () => {
    expect(sankeyOf([], { width: 300, height: 200 }).boxes).toEqual([]);
  });

  it("are shown from the largest on", () => {
    expect(largest(flows, 2).map((flow) => flow.visitors)).toEqual([20, 15]);
  });
});

describe("a funnel", () => {
  const funnel = (counts: readonly (number | null)[]): FunnelBody => ({
    zone: null,
    steps: counts.map((count, place) => ({
      step: (["passed", "stopped", "offered"] as const)[place] ?? "seen",
      count,
      share_of_step_before: null,
      withheld: count === null ? "few_shoppers" : null,
      formula: "",
    })),
  });

  it("compares each step with the first and with the period before", () => {
    const [passed, stopped] = stepRows(funnel([200, 50]), funnel([100, 40]));
    expect([passed?.change, stopped?.change, stopped?.shareOfFirst]).toEqual([1, 0.25, 0.25]);
  });

  it("takes what is withheld for unknown, not for nought", () => {
    const [, stopped] = stepRows(funnel([200, null]), funnel([100, 40]));
    expect([stopped?.change, stopped?.shareOfFirst, stopped?.withheld]).toEqual([null, null, "few_shoppers"]);
    expect(changeOf(5, 0)).toBeNull();
  });
});

describe("the report of an experiment", () => {
  it("shows both intervals of each arm and keeps open ends open", () => {
    const lift = {
      arm: "five", control: "none", per_shopper: 12, standard_error: 3, variance_reduction: null,
      fixed: { low: 6, high: 18, level: 0.95 }, sequential: { low: null, high: null, level: 0.95 },
      whole: 1200, whole_interval: { low: null, high: null, level: 0.95 },
    };
    const rows = liftRows({ lifts: [lift] } as unknown as ExperimentReport, { sequential: "s", fixed: "f" });
    expect(rows.map((row) => [row.name, row.low])).toEqual([["five, s", null], ["five, f", 6]]);
  });

  it("says loudly what needs somebody", () => {
    expect([toneOf("repair_split"), toneOf("stop"), toneOf("better"), toneOf("open")]).toEqual(["bad", "bad", "good", "plain"]);
  });

  it("knows money, and draws salts that differ", () => {
    expect([isMoney("revenue-minor"), isMoney("purchases")]).toEqual([true, false]);
    expect(newSalt()).toMatch(/^[0-9a-f]{8}$/);
    expect(newSalt()).not.toBe(newSalt());
  });
});
