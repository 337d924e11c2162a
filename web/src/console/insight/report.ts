// Read the rows of footfall reports.
// Takes: report documents, whose rows are named columns. Gives: rows with types; a figure that is withheld
// is null, and stays null: nothing here takes it for nought.
import type { components } from "../../kit/schema";

export type ReportDocument = components["schemas"]["ReportDocument"];
type Row = ReportDocument["rows"][number];

export interface HeatCell {
  column: number;
  row: number;
  areaM2: number;
  visitors: number;
  personS: number;
  densitySM2: number;
}

export interface ChangeCell {
  column: number;
  row: number;
  visitorsABlock: number;
  personSABlock: number;
  isClear: boolean;
}

export interface ShelfRow {
  zone: string;
  visitors: number | null;
  passers: number | null;
  stoppers: number | null;
  stopRate: number | null;
  dwellP50: Bin | null;
  dwellP90: Bin | null;
  offered: number | null;
  seen: number | null;
  redeemed: number | null;
  bought: number | null;
  redemptionRate: number | null;
  purchaseRate: number | null;
}

/** Between which two times a quantile lies, in seconds. */
export interface Bin {
  lowS: number;
  highS: number;
}

export interface FlowRow {
  from: string | null;
  to: string | null;
  visitors: number;
  shareOfNext: number;
  shareOfPrevious: number;
}

export interface PathRow {
  zones: readonly string[];
  visitors: number;
}

export interface MoveRow {
  figure: "visitors" | "stoppers";
  now: number;
  expected: number;
  change: number;
  changeLow: number;
  changeHigh: number;
  ifNobodyCameForIt: number;
  ifAllCameForIt: number;
}

/**
 * The report of a call. The routes give other formats as well, which the document of the API lists
 * without a schema; asked for JSON they give a report.
 */
export async function reportOf(call: Promise<{ data?: unknown }>): Promise<ReportDocument> {
  return (await call).data as ReportDocument;
}

/** The file of a call that was made with `parseAs: "blob"`. */
export async function fileOf(call: Promise<{ data?: unknown }>): Promise<Blob> {
  const { data } = await call;
  if (data instanceof Blob) return data;
  throw new Error("the answer is no file; expected parseAs: blob");
}

/** The cells of a floor that are told. */
export function heatCells(report: ReportDocument, floor: number): readonly HeatCell[] {
  return report.rows.filter((row) => row["floor"] === floor).map((row) => ({
    column: numberOf(row, "column"),
    row: numberOf(row, "row"),
    areaM2: numberOf(row, "area_m2"),
    visitors: numberOf(row, "visitors"),
    personS: numberOf(row, "person_s"),
    densitySM2: numberOf(row, "density_s_m2"),
  }));
}

/** The cells of a floor that both periods tell. */
export function changeCells(report: ReportDocument, floor: number): readonly ChangeCell[] {
  return report.rows.filter((row) => row["floor"] === floor).map((row) => ({
    column: numberOf(row, "column"),
    row: numberOf(row, "row"),
    visitorsABlock: numberOf(row, "visitors_a_block"),
    personSABlock: numberOf(row, "person_s_a_block"),
    isClear: row["is_clear"] === 1,
  }));
}

/** The zones over the whole window; their single hours are left out. */
export function shelfRows(report: ReportDocument): readonly ShelfRow[] {
  return report.rows.filter((row) => row["hour"] === null).map((row) => ({
    zone: String(row["zone"]),
    visitors: figureOf(row, "visitors"),
    passers: figureOf(row, "passers"),
    stoppers: figureOf(row, "stoppers"),
    stopRate: figureOf(row, "stop_rate"),
    dwellP50: binOf(row, "dwell_p50"),
    dwellP90: binOf(row, "dwell_p90"),
    offered: figureOf(row, "offered"),
    seen: figureOf(row, "seen"),
    redeemed: figureOf(row, "redeemed"),
    bought: figureOf(row, "bought"),
    redemptionRate: figureOf(row, "redemption_rate"),
    purchaseRate: figureOf(row, "purchase_rate"),
  }));
}

/** The flows that are told. */
export function flowRows(report: ReportDocument): readonly FlowRow[] {
  return report.rows.map((row) => ({
    from: textOf(row, "from_zone"),
    to: textOf(row, "to_zone"),
    visitors: numberOf(row, "visitors"),
    shareOfNext: numberOf(row, "share_of_next"),
    shareOfPrevious: numberOf(row, "share_of_previous"),
  }));
}

/** The runs of zones that are told. */
export function pathRows(report: ReportDocument): readonly PathRow[] {
  return report.rows.map((row) => ({
    zones: String(row["path"]).split(" > "),
    visitors: numberOf(row, "visitors"),
  }));
}

/** What is expected of a moved category. */
export function moveRows(report: ReportDocument): readonly MoveRow[] {
  return report.rows.map((row) => ({
    figure: row["figure"] === "stoppers" ? "stoppers" : "visitors",
    now: numberOf(row, "now"),
    expected: numberOf(row, "expected"),
    change: numberOf(row, "change"),
    changeLow: numberOf(row, "change_low"),
    changeHigh: numberOf(row, "change_high"),
    ifNobodyCameForIt: numberOf(row, "change_if_nobody_came_for_it"),
    ifAllCameForIt: numberOf(row, "change_if_all_stops_came_for_it"),
  }));
}

function figureOf(row: Row, name: string): number | null {
  const value = row[name];
  return typeof value === "number" ? value : null;
}

function numberOf(row: Row, name: string): number {
  const value = figureOf(row, name);
  if (value === null) throw new Error(`${name} is ${String(row[name])}; expected a number in each row`);
  return value;
}

function textOf(row: Row, name: string): string | null {
  const value = row[name];
  return typeof value === "string" ? value : null;
}

function binOf(row: Row, name: string): Bin | null {
  const [lowS, highS] = [figureOf(row, `${name}_low_s`), figureOf(row, `${name}_high_s`)];
  return lowS === null || highS === null ? null : { lowS, highS };
}
