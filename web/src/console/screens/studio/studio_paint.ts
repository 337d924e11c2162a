// Paint what is drawn just now above the plan: grid, crosshair, points set, what is chosen, faults.
// Takes: the editor and the faults. Gives: strokes on the canvas; the plan itself is the map's affair.
import type { Lens } from "../../map/canvas_layer";
import type { Palette } from "../../map/palette";
import { floorOf, outlineOf, type Line, type PlanFeature, type Point } from "../../map/site_map";
import { pointsOf } from "./edits";
import type { MapProblem } from "./draft.svelte";
import type { Editor } from "./editor.svelte";
import { outlineDrawn } from "./tools";

const GRID_PX_MIN = 8;
const HANDLE_PX = 4;
const CROSS_PX = 11;

export function paintStudio(canvas: CanvasRenderingContext2D, lens: Lens, editor: Editor, problems: readonly MapProblem[], palette: Palette): void {
  paintGrid(canvas, lens, editor, palette);
  canvas.strokeStyle = canvas.fillStyle = palette.chosen;
  for (const feature of editor.chosenFeatures) paintChosen(canvas, lens, feature, editor.floor);
  paintDrawn(canvas, lens, editor);
  paintProblems(canvas, lens, problems, editor.floor, palette);
  paintCrosshair(canvas, lens, editor.crosshair.point, editor.crosshair.by !== "nothing", palette);
}

function paintGrid(canvas: CanvasRenderingContext2D, lens: Lens, editor: Editor, palette: Palette): void {
  if (editor.grid_m === null) return;
  const entry = floorOf(editor.document, editor.floor);
  const step_m = [1, 5, 10].map((times) => times * Math.max(editor.grid_m ?? 1, 0.5)).find((step) => step * lens.scale > GRID_PX_MIN * lens.ratio);
  if (step_m === undefined) return;
  canvas.strokeStyle = palette.line;
  canvas.lineWidth = 0.5 * lens.ratio;
  canvas.beginPath();
  for (let x_m = 0; x_m <= entry.width_m; x_m += step_m) {
    canvas.moveTo(lens.x(x_m), lens.y(0));
    canvas.lineTo(lens.x(x_m), lens.y(entry.height_m));
  }
  for (let y_m = 0; y_m <= entry.height_m; y_m += step_m) {
    canvas.moveTo(lens.x(0), lens.y(y_m));
    canvas.lineTo(lens.x(entry.width_m), lens.y(y_m));
  }
  canvas.globalAlpha = 0.5;
  canvas.stroke();
  canvas.globalAlpha = 1;
}

function trace(canvas: CanvasRenderingContext2D, lens: Lens, line: Line, isClosed: boolean): void {
  canvas.beginPath();
  line.forEach((point, index) => {
    if (index === 0) canvas.moveTo(lens.x(point[0]), lens.y(point[1]));
    else canvas.lineTo(lens.x(point[0]), lens.y(point[1]));
  });
  if (isClosed) canvas.closePath();
  canvas.stroke();
}

function paintChosen(canvas: CanvasRenderingContext2D, lens: Lens, feature: PlanFeature, floor: number): void {
  canvas.lineWidth = 2.5 * lens.ratio;
  const points = pointsOf(feature, floor);
  const strip = outlineOf(feature);
  if (feature.geometry?.type === "LineString" && strip.length > 0) {
    canvas.setLineDash([4 * lens.ratio, 4 * lens.ratio]);
    trace(canvas, lens, strip, true);
    canvas.setLineDash([]);
  }
  trace(canvas, lens, points, feature.geometry?.type === "Polygon");
  for (const point of points) paintHandle(canvas, lens, point);
}

function paintHandle(canvas: CanvasRenderingContext2D, lens: Lens, point: Point): void {
  const half = HANDLE_PX * lens.ratio;
  canvas.fillRect(lens.x(point[0]) - half, lens.y(point[1]) - half, 2 * half, 2 * half);
}

function paintDrawn(canvas: CanvasRenderingContext2D, lens: Lens, editor: Editor): void {
  if (editor.drawn.length === 0) return;
  const points = outlineDrawn(editor.tool, [...editor.drawn, editor.crosshair.point], editor.isBox);
  canvas.lineWidth = 2 * lens.ratio;
  canvas.setLineDash([6 * lens.ratio, 4 * lens.ratio]);
  trace(canvas, lens, points, points.length > 2 && editor.tool !== "wall");
  canvas.setLineDash([]);
  for (const point of editor.drawn) paintHandle(canvas, lens, point);
}

function paintProblems(canvas: CanvasRenderingContext2D, lens: Lens, problems: readonly MapProblem[], floor: number, palette: Palette): void {
  canvas.lineWidth = 3 * lens.ratio;
  canvas.strokeStyle = palette.bad;
  for (const problem of problems) {
    if (problem.at === null || (problem.floor ?? floor) !== floor) continue;
    canvas.beginPath();
    canvas.arc(lens.x(problem.at[0] ?? 0), lens.y(problem.at[1] ?? 0), 10 * lens.ratio, 0, 2 * Math.PI);
    canvas.stroke();
  }
}

function paintCrosshair(canvas: CanvasRenderingContext2D, lens: Lens, point: Point, isCaught: boolean, palette: Palette): void {
  const [x, y, arm] = [lens.x(point[0]), lens.y(point[1]), CROSS_PX * lens.ratio];
  canvas.strokeStyle = isCaught ? palette.chosen : palette.ink;
  canvas.lineWidth = 1.5 * lens.ratio;
  canvas.beginPath();
  canvas.moveTo(x - arm, y);
  canvas.lineTo(x + arm, y);
  canvas.moveTo(x, y - arm);
  canvas.lineTo(x, y + arm);
  canvas.stroke();
}

/** What an import would bring, before it is taken over. */
export function paintPreview(canvas: CanvasRenderingContext2D, lens: Lens, features: readonly PlanFeature[], floor: number, palette: Palette): void {
  if (features.length === 0) return;
  canvas.strokeStyle = palette.bad;
  canvas.lineWidth = 1.5 * lens.ratio;
  for (const feature of features) trace(canvas, lens, pointsOf(feature, floor), feature.geometry?.type === "Polygon");
}
