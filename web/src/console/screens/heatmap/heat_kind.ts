// Choose what a heatmap shows and put it into cells.
// Takes: rows of the reports. Gives: cells with their values, colours of shelves, the highest values.
import { colourOf, scaleOf, type Cell, type Scale } from "../../report_plan/heat";
import type { ChangeCell, HeatCell, ShelfRow } from "../../insight/report";

export const HEAT_KINDS = ["dwell", "visits", "conversion", "difference"] as const;
export type HeatKind = (typeof HEAT_KINDS)[number];
const MINUTE_S = 60;

export interface Heat {
  cells: readonly Cell[];
  scale: Scale;
}

/** The told cells by dwell (person-minutes per m²) or by visitors. */
export function heatOf(cells: readonly HeatCell[], kind: "dwell" | "visits"): Heat {
  const valued = cells.map(({ column, row, densitySM2, visitors }) => ({
    column,
    row,
    value: kind === "dwell" ? densitySM2 / MINUTE_S : visitors,
  }));
  return { cells: valued, scale: scaleOf(valued.map((cell) => cell.value), "amount") };
}

/** The cells that both periods tell, by what a block has more or less, in person-minutes. */
export function differenceOf(cells: readonly ChangeCell[]): Heat {
  const valued = cells.map(({ column, row, personSABlock }) => ({
    column,
    row,
    value: personSABlock / MINUTE_S,
  }));
  return { cells: valued, scale: scaleOf(valued.map((cell) => cell.value), "change") };
}

/** The colours of shelves by their conversion; a shelf whose figure is withheld has none. */
export function conversionOf(rows: readonly ShelfRow[]): { colours: ReadonlyMap<string, string>; scale: Scale } {
  const told = rows.filter((row) => row.purchaseRate !== null);
  const scale = scaleOf(told.map((row) => row.purchaseRate ?? 0), "amount");
  return { colours: new Map(told.map((row) => [row.zone, colourOf(row.purchaseRate ?? 0, scale)])), scale };
}

/** The cells with the largest values, the largest first. */
export function highest(cells: readonly Cell[], count: number): readonly Cell[] {
  return cells.toSorted((one, other) => Math.abs(other.value) - Math.abs(one.value)).slice(0, count);
}
