// The colours of a heatmap, and the cells of a plan.
import { describe, expect, it } from "vitest";

import { colourOf, scaleOf, shareOf, ticksOf } from "../../src/console/report_plan/heat";
import { groundOf, pathOf } from "../../src/console/report_plan/plan";
import { conversionOf, differenceOf, heatOf, highest } from "../../src/console/screens/heatmap/heat_kind";

const cell = (column: number, densitySM2: number, visitors: number) => ({
  column, row: 0, areaM2: 1, visitors, personS: densitySM2, densitySM2,
});

describe("a heatmap", () => {
  it("shows seconds as person-minutes and visitors as they are", () => {
    expect(heatOf([cell(0, 120, 15)], "dwell").cells[0]?.value).toBe(2);
    expect(heatOf([cell(0, 120, 15)], "visits").cells[0]?.value).toBe(15);
  });

  it("is not made pale by one cell at the till", () => {
    const values = [...Array.from({ length: 99 }, (_, n) => n), 100_000];
    expect(scaleOf(values, "amount").reach).toBe(97);
  });

  it("gives nothing the colour of the middle where it shows changes", () => {
    const heat = differenceOf([
      { column: 0, row: 0, visitorsABlock: -5, personSABlock: -60, isClear: true },
      { column: 1, row: 0, visitorsABlock: 5, personSABlock: 120, isClear: true },
    ]);
    expect(heat.scale.reach).toBe(2);
    expect(shareOf(0, heat.scale)).toBe(0.5);
    expect(colourOf(0, heat.scale)).toBe("rgb(247 247 247)");
    expect(ticksOf(heat.scale).map((tick) => tick.value)).toEqual([-2, 0, 2]);
    expect(highest(heat.cells, 1)[0]?.column).toBe(1);
  });

  it("gives a shelf whose conversion is withheld no colour", () => {
    const row = { zone: "a", visitors: null, passers: null, stoppers: null, stopRate: null, dwellP50: null, dwellP90: null, offered: null, seen: null, redeemed: null, bought: null, redemptionRate: null, purchaseRate: null };
    expect([...conversionOf([row, { ...row, zone: "b", purchaseRate: 0.2 }]).colours.keys()]).toEqual(["b"]);
  });
});

describe("a plan", () => {
  it("knows its cells with ground from the lengths of runs", () => {
    expect([...groundOf({ columns: 3, rows: 2, ground_runs: [1, 4, 1] })]).toEqual([0, 1, 1, 1, 1, 0]);
  });

  it("is drawn with y up", () => {
    expect(pathOf([[0, 0], [1, 0], [1, 2]], 10, true)).toBe("M0 10L1 10L1 8Z");
  });
});
