// Read the coverage of a floor as the service computes it.
// Takes: the answer, with cells packed in base64. Gives: grids for the heat layer; NaN where nobody can be.
import type { Grid } from "../../map/grid";

export interface CoverageAnswer {
  floor: number;
  kind: string;
  cell_m: number;
  columns: number;
  rows: number;
  x0_m: number;
  y0_m: number;
  error_cm: string;
  anchors_heard: string;
  fewer_than_three_m2: number;
  p50_m: number | null;
  p95_m: number | null;
  best: { x_m: number; y_m: number; z_m?: number; p95_before_m?: number | null; p95_after_m: number | null } | null;
}
export interface Coverage {
  error_m: Grid;
  heard: Grid;
}

const UNKNOWN = 65_535;
const CELLS_MAX = 4_000_000;
export const HEARD_MIN = 3;

/** The bytes of a text in base64. */
export function bytesOf(base64: string): Uint8Array {
  const text = atob(base64);
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** The grids of an answer; an answer whose cells do not fill its rows is refused. */
export function coverageOf(answer: CoverageAnswer): Coverage {
  const cells = answer.columns * answer.rows;
  const [errors, heard] = [bytesOf(answer.error_cm), bytesOf(answer.anchors_heard)];
  if (cells > CELLS_MAX || errors.length !== 2 * cells || heard.length !== cells)
    throw new Error(`coverage of ${answer.columns} × ${answer.rows} cells in ${errors.length} and ${heard.length} bytes; expected ${2 * cells} and ${cells}`);
  const view = new DataView(errors.buffer);
  const grid = (values: Float32Array): Grid => ({ columns: answer.columns, rows: answer.rows, cell_m: answer.cell_m, x0_m: answer.x0_m, y0_m: answer.y0_m, values });
  const error_m = new Float32Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    const error_cm = view.getUint16(2 * cell, true);
    error_m[cell] = error_cm === UNKNOWN ? Number.NaN : error_cm / 100;
  }
  return { error_m: grid(error_m), heard: grid(Float32Array.from(heard)) };
}
