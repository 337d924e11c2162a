// Colour the cells of a heatmap.
// Takes: told values of cells. Gives: colours of a ramp that people see alike who see colours otherwise
// (cividis: Nunez, Anderton and Renslow 2018; blue to orange for changes), and the ticks of its legend.

export type Colour = readonly [number, number, number];
const CIVIDIS: readonly Colour[] = [
  [0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115],
  [138, 134, 120], [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56],
];
const DIVERGING: readonly Colour[] = [
  [5, 48, 97], [67, 147, 195], [209, 229, 240], [247, 247, 247], [253, 219, 199], [244, 165, 66],
  [179, 88, 6],
];
const REACH_SHARE = 0.98; // one cell at the till must not make all others look alike

/** How values become colours: amounts by their square root, changes on both sides of nothing. */
export interface Scale {
  kind: "amount" | "change";
  /** the value of the last colour; further ones get it too */
  reach: number;
}

/** What a cell is. */
export interface Cell {
  column: number;
  row: number;
  value: number;
}

/** The scale of some values: up to the value that 98 of 100 do not exceed. */
export function scaleOf(values: readonly number[], kind: Scale["kind"]): Scale {
  const sizes = values.map(Math.abs).sort((one, other) => one - other);
  const reach = sizes[Math.max(0, Math.ceil(REACH_SHARE * sizes.length) - 1)] ?? 0;
  return { kind, reach: reach > 0 ? reach : 1 };
}

/** Where on the ramp a value stands, 0 to 1. */
export function shareOf(value: number, scale: Scale): number {
  const share = Math.max(-1, Math.min(1, value / scale.reach));
  return scale.kind === "amount" ? Math.sqrt(Math.max(0, share)) : (share + 1) / 2;
}

/** The colour of a value, as CSS writes it. */
export function colourOf(value: number, scale: Scale): string {
  return rampColour(shareOf(value, scale), scale.kind);
}

/** The colour at a place of a ramp, 0 to 1. */
export function rampColour(share: number, kind: Scale["kind"]): string {
  const ramp = kind === "amount" ? CIVIDIS : DIVERGING;
  const place = Math.max(0, Math.min(1, share)) * (ramp.length - 1);
  const before = ramp[Math.floor(place)] ?? ramp[0];
  const after = ramp[Math.ceil(place)] ?? before;
  const part = place - Math.floor(place);
  const mixed = [0, 1, 2].map((n) => Math.round((before?.[n] ?? 0) * (1 - part) + (after?.[n] ?? 0) * part));
  return `rgb(${mixed.join(" ")})`;
}

/** The values that a legend names, from left to right of the ramp. */
export function ticksOf(scale: Scale): readonly { share: number; value: number }[] {
  const shares = [0, 0.5, 1];
  return shares.map((share) => ({
    share,
    value: scale.kind === "amount" ? share * share * scale.reach : (2 * share - 1) * scale.reach,
  }));
}

const PIXELS_A_CELL = 8;
const WITHHELD_GROUND = "rgb(128 128 128 / 18%)";
const WITHHELD_STROKE = "rgb(128 128 128 / 60%)";

/**
 * Draw cells; those with ground and without a value are hatched: withheld, and not nobody.
 *
 * @param ground of each cell, 1 where somebody can stand
 */
export function drawHeat(
  canvas: HTMLCanvasElement,
  given: { columns: number; rows: number; ground: Uint8Array; cells: readonly Cell[]; scale: Scale },
): void {
  canvas.width = given.columns * PIXELS_A_CELL;
  canvas.height = given.rows * PIXELS_A_CELL;
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  const told = new Map(given.cells.map((cell) => [cell.row * given.columns + cell.column, cell.value]));
  given.ground.forEach((isGround, place) => {
    const value = told.get(place);
    if (isGround === 0) return;
    const x = (place % given.columns) * PIXELS_A_CELL;
    const y = (given.rows - 1 - Math.floor(place / given.columns)) * PIXELS_A_CELL;
    if (value === undefined) hatch(pen, x, y);
    else {
      pen.fillStyle = colourOf(value, given.scale);
      pen.fillRect(x, y, PIXELS_A_CELL, PIXELS_A_CELL);
    }
  });
}

function hatch(pen: CanvasRenderingContext2D, x: number, y: number): void {
  pen.fillStyle = WITHHELD_GROUND;
  pen.fillRect(x, y, PIXELS_A_CELL, PIXELS_A_CELL);
  pen.strokeStyle = WITHHELD_STROKE;
  pen.beginPath();
  pen.moveTo(x, y + PIXELS_A_CELL);
  pen.lineTo(x + PIXELS_A_CELL, y);
  pen.stroke();
}
