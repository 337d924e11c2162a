// Ask for the dwell of today on one floor, as the heatmap report tells it.
// Takes: the client, the floor, the time zone of the site. Gives: a grid in person-minutes per square metre.
import { dataOf, type Api } from "../../../kit/api";
import { gridOf, type Grid } from "../../map/grid";

/** The calendar day of an instant in a time zone, as 2026-03-02. */
export function dayIn(timeZone: string | undefined, at_ms: number): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  return new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", ...zone }).format(at_ms);
}

/** A row of the report as a cell; null where it is not one. */
export function cellOf(row: Record<string, unknown>): { column: number; row: number; value: number } | null {
  const [column, line, density] = [row["column"], row["row"], row["density_s_m2"]];
  if (typeof column !== "number" || typeof line !== "number" || typeof density !== "number") return null;
  return { column, row: line, value: density / 60 };
}

export async function heatOfToday(api: Api, floor: number, timeZone: string | undefined): Promise<Grid | null> {
  const now_ms = Date.now();
  const query = { from: dayIn(timeZone, now_ms), until: dayIn(timeZone, now_ms + 86_400_000), floor };
  const asked = api.GET("/v1/operator/footfall/heatmap", { params: { query } });
  const report = (await dataOf(asked)) as { rows: readonly Record<string, unknown>[] };
  const first = report.rows[0];
  const cells = report.rows.map((row) => cellOf(row)).filter((cell) => cell !== null);
  const x_m = first?.["x_m"];
  if (first === undefined || cells[0] === undefined || typeof x_m !== "number") return null;
  return gridOf(cells, x_m / (cells[0].column + 0.5));
}
