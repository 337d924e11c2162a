// Rows of reports: what is withheld stays unknown.
import { describe, expect, it } from "vitest";

import { heatCells, shelfRows, type ReportDocument } from "../../src/console/insight/report";

const report = (rows: ReportDocument["rows"]): ReportDocument => ({
  report: "shelves", site: "demo", windows: [], k: 10, visitors_step: 5, seconds_step: 60, columns: [], rows, gaps: [], notes: [],
});

describe("a row of a report", () => {
  it("keeps a withheld figure apart from nought", () => {
    const [row] = shelfRows(report([{ zone: "dowels", hour: null, visitors: 20, stoppers: null, offered: 0 }]));
    expect([row?.visitors, row?.stoppers, row?.offered]).toEqual([20, null, 0]);
    expect(row?.dwellP50).toBeNull();
  });

  it("of a single hour is not taken for the whole window", () => {
    expect(shelfRows(report([{ zone: "dowels", hour: 9 }, { zone: "dowels", hour: null }]))).toHaveLength(1);
  });

  it("without a number that each cell has is a fault, and no empty cell", () => {
    expect(() => heatCells(report([{ floor: 0, column: 1, row: 1 }]), 0)).toThrow(/area_m2/);
  });
});
