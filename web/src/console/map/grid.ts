// Hold an amount for each cell of a floor and paint it in the colours of a ramp.
// Takes: cells as the API gives them. Gives: pixels, one a cell, to the heat layer; the highest row first.
import type { Ramp } from "./ramp";

/** Amounts per cell from the lower left corner, row by row upwards; NaN where nothing is told. */
export interface Grid {
  columns: number;
  rows: number;
  cell_m: number;
  x0_m: number;
  y0_m: number;
  values: Float32Array;
}

export interface Scale {
  low: number;
  high: number;
  /** whether colours go by the square root, as a few shelves hold most of the dwell */
  isRooted: boolean;
}

const CELLS_MAX = 4_000_000;

/** A grid from cells that are named one by one. */
export function gridOf(
  cells: readonly { column: number; row: number; value: number }[],
  cell_m: number,
): Grid | null {
  let [columns, rows] = [0, 0];
  for (const cell of cells) {
    columns = Math.max(columns, cell.column + 1);
    rows = Math.max(rows, cell.row + 1);
  }
  if (columns === 0 || columns * rows > CELLS_MAX) return null;
  const values = new Float32Array(columns * rows).fill(Number.NaN);
  for (const cell of cells) values[cell.row * columns + cell.column] = cell.value;
  return { columns, rows, cell_m, x0_m: 0, y0_m: 0, values };
}

/** The value below which a share of all told cells lies; 0 where none is told. */
export function quantileOf(values: Float32Array, share: number): number {
  const told = values.filter((value) => Number.isFinite(value)).sort();
  return told[Math.min(told.length - 1, Math.floor(share * told.length))] ?? 0;
}

/** The pixels of a grid; cells that are not told stay clear. */
export function pixelsOf(grid: Grid, scale: Scale, ramp: Ramp): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(grid.columns * grid.rows * 4);
  const reach = Math.max(scale.high - scale.low, 1e-9);
  for (let row = 0; row < grid.rows; row++) {
    const from = row * grid.columns;
    const to = (grid.rows - 1 - row) * grid.columns;
    for (let column = 0; column < grid.columns; column++) {
      const value = grid.values[from + column] as number;
      if (Number.isNaN(value)) continue;
      const share = Math.min(1, Math.max(0, (value - scale.low) / reach));
      const step = Math.round(255 * (scale.isRooted ? Math.sqrt(share) : share)) * 4;
      pixels.set(ramp.bytes.subarray(step, step + 4), (to + column) * 4);
    }
  }
  return pixels;
}
