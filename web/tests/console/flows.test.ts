// Flows around a zone, key figures in their units, and the glossary.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { METRIC_FAMILIES, type MetricTexts } from "../../src/console/insight/metric";
import { after, before, matrixOf, OUTSIDE } from "../../src/console/screens/flows/flow_matrix";
import { intervalText, metricOf, weeksFrom } from "../../src/console/screens/kpis/figure_text";

const flow = (from: string | null, to: string | null, visitors: number) => ({ from, to, visitors, shareOfNext: 0.5, shareOfPrevious: 0.25 });
const FLOWS = [flow(null, "dowels", 30), flow("dowels", "saws", 20), flow("saws", "dowels", 10)];

describe("a matrix of flows", () => {
  it("leaves fields empty that are not told, and counts the outside as a zone", () => {
    const matrix = matrixOf(FLOWS, 3);
    expect(matrix.zones).toEqual(["dowels", OUTSIDE, "saws"]);
    expect(matrix.fields).toEqual([[null, null, 20], [30, null, null], [10, null, null]]);
    expect(matrix.most).toBe(30);
  });

  it("has no more zones than can be read", () => {
    expect(matrixOf(FLOWS, 1).zones).toEqual(["dowels"]);
  });
});

describe("what lies around a zone", () => {
  it("is the most frequent first, with the share of the right side", () => {
    expect(before(FLOWS, "dowels").map((one) => [one.zone, one.share])).toEqual([[OUTSIDE, 0.25], ["saws", 0.25]]);
    expect(after(FLOWS, "dowels").map((one) => [one.zone, one.share])).toEqual([["saws", 0.5]]);
  });
});

describe("key figures", () => {
  it("come with an interval whose open end is seen", () => {
    expect(intervalText({ interval: { low: 0.25, high: null, level: 0.95 }, unit: "share" }, "EUR")).toMatch(/25.*…$/);
    expect(intervalText({ interval: null, unit: "share" }, "EUR")).toBe("–");
  });

  it("stand on Mondays, also where the clocks change", () => {
    expect(weeksFrom("2026-03-23", 2)).toEqual(["2026-03-23", "2026-03-30"]);
  });

  it("are in the glossary, each that the API knows", () => {
    const document = JSON.parse(readFileSync("../docs/openapi.json", "utf8")) as { components: { schemas: { KpiName: { enum: string[] } } } };
    for (const name of document.components.schemas.KpiName.enum)
      expect(Object.keys(METRIC_FAMILIES.kpis)).toContain(metricOf(name as "retention"));
  });
});

describe("the glossary", () => {
  it("says all four things of every figure in both languages", () => {
    const metrics = Object.values(METRIC_FAMILIES).flatMap((family) => Object.values(family as Record<string, MetricTexts>));
    expect(metrics.length).toBeGreaterThan(40);
    for (const texts of metrics)
      for (const text of [texts.de, texts.en])
        expect(Object.values(text).filter((said) => said.length > 2)).toHaveLength(4);
  });
});
