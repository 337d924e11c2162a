// Mark where fewer than three anchors hear, and where one more would help most.
// Takes: the coverage. Gives: strokes above the plan; a hatch, so that it is told from colours.
import type { Lens } from "../../map/canvas_layer";
import type { Palette } from "../../map/palette";
import { HEARD_MIN, type Coverage, type CoverageAnswer } from "./coverage_answer";

const STAR_PX = 13;

export function paintCoverage(canvas: CanvasRenderingContext2D, lens: Lens, coverage: Coverage, best: CoverageAnswer["best"], palette: Palette): void {
  paintFew(canvas, lens, coverage, palette);
  if (best !== null) paintBest(canvas, lens.x(best.x_m), lens.y(best.y_m), lens.ratio, palette);
}

function paintFew(canvas: CanvasRenderingContext2D, lens: Lens, coverage: Coverage, palette: Palette): void {
  const { columns, rows, cell_m, x0_m, y0_m, values } = coverage.heard;
  canvas.strokeStyle = palette.bad;
  canvas.lineWidth = lens.ratio;
  canvas.globalAlpha = 0.7;
  canvas.beginPath();
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      if ((values[row * columns + column] as number) >= HEARD_MIN || Number.isNaN(coverage.error_m.values[row * columns + column])) continue;
      const [x, y] = [x0_m + column * cell_m, y0_m + row * cell_m];
      canvas.moveTo(lens.x(x), lens.y(y));
      canvas.lineTo(lens.x(x + cell_m), lens.y(y + cell_m));
    }
  canvas.stroke();
  canvas.globalAlpha = 1;
}

function paintBest(canvas: CanvasRenderingContext2D, x: number, y: number, ratio: number, palette: Palette): void {
  canvas.fillStyle = palette.chosen;
  canvas.strokeStyle = palette.floor;
  canvas.lineWidth = 2 * ratio;
  canvas.beginPath();
  for (let point = 0; point < 10; point++) {
    const [reach, angle] = [(point % 2 === 0 ? 1 : 0.45) * STAR_PX * ratio, (point * Math.PI) / 5 - Math.PI / 2];
    canvas.lineTo(x + reach * Math.cos(angle), y + reach * Math.sin(angle));
  }
  canvas.closePath();
  canvas.fill();
  canvas.stroke();
}
