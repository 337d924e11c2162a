// Paint people: dots that fade with the age of their last reading, trails, rings of error.
// Takes: the crowd and what is chosen. Gives: strokes on the canvas of the map; arcs up to 2,500
// people, squares above, as arcs cost three times as much (measured, web_and_packaging).
import type { Lens } from "../../map/canvas_layer";
import type { Palette } from "../../map/palette";
import type { Crowd } from "./crowd";

export const ARCS_MAX = 2_500;
const TRAILS_MAX = 400;
const DOT_PX = 4.5;
const SQUARE_PX = 4;
const AGE_STEPS_MS = [1_500, 4_000, 10_000, Infinity] as const;
const OPACITY = [1, 0.7, 0.42, 0.2] as const;

export interface Sight {
  /** 0 to 1 from the frame before to the last */
  share: number;
  /** time of the events now */
  now_ms: number;
  chosen: number;
  hovered: number;
}

/** Which of the four steps of fading an age belongs to. */
export function fadeOf(age_ms: number): number {
  const step = AGE_STEPS_MS.findIndex((until) => age_ms < until);
  return step < 0 ? AGE_STEPS_MS.length - 1 : step;
}

export function paintCrowd(canvas: CanvasRenderingContext2D, lens: Lens, crowd: Crowd, sight: Sight, palette: Palette): void {
  const isMany = crowd.count > ARCS_MAX;
  if (crowd.count <= TRAILS_MAX) for (let slot = 0; slot < crowd.count; slot++) paintTrail(canvas, lens, crowd, slot, sight, palette, 0.25);
  paintDots(canvas, lens, crowd, sight, palette, isMany);
  for (const slot of new Set([sight.hovered, sight.chosen]))
    if (slot >= 0 && slot < crowd.count && crowd.isHere(slot)) paintPicked(canvas, lens, crowd, slot, sight, palette);
  canvas.globalAlpha = 1;
}

function paintDots(canvas: CanvasRenderingContext2D, lens: Lens, crowd: Crowd, sight: Sight, palette: Palette, isMany: boolean): void {
  const radius = DOT_PX * lens.ratio;
  const side = SQUARE_PX * lens.ratio;
  canvas.fillStyle = palette.person;
  for (let step = 0; step < OPACITY.length; step++) {
    canvas.globalAlpha = OPACITY[step] as number;
    for (let slot = 0; slot < crowd.count; slot++) {
      if (fadeOf(crowd.ageAt(slot, sight.now_ms)) !== step) continue;
      const [x, y] = [lens.x(crowd.xAt(slot, sight.share)), lens.y(crowd.yAt(slot, sight.share))];
      // Written so that NaN, who is not here, is left out too.
      if (!(x > -radius && y > -radius && x < lens.width + radius && y < lens.height + radius)) continue;
      if (isMany) canvas.fillRect(x - side / 2, y - side / 2, side, side);
      else {
        // One path each: a path of thousands of arcs takes longer to fill than all of them.
        canvas.beginPath();
        canvas.arc(x, y, radius, 0, 2 * Math.PI);
        canvas.fill();
      }
    }
  }
}

function paintTrail(canvas: CanvasRenderingContext2D, lens: Lens, crowd: Crowd, slot: number, sight: Sight, palette: Palette, opacity: number): void {
  if (!crowd.isHere(slot)) return;
  canvas.globalAlpha = opacity;
  canvas.strokeStyle = palette.person;
  canvas.lineWidth = 2 * lens.ratio;
  canvas.beginPath();
  let isFirst = true;
  for (const [x, y] of crowd.trail(slot)) {
    if (isFirst) canvas.moveTo(lens.x(x), lens.y(y));
    else canvas.lineTo(lens.x(x), lens.y(y));
    isFirst = false;
  }
  if (!isFirst) canvas.lineTo(lens.x(crowd.xAt(slot, sight.share)), lens.y(crowd.yAt(slot, sight.share)));
  canvas.stroke();
}

function paintPicked(canvas: CanvasRenderingContext2D, lens: Lens, crowd: Crowd, slot: number, sight: Sight, palette: Palette): void {
  paintTrail(canvas, lens, crowd, slot, sight, palette, 0.8);
  const [x, y] = [lens.x(crowd.xAt(slot, sight.share)), lens.y(crowd.yAt(slot, sight.share))];
  const radius_m = crowd.radius_m(slot);
  canvas.strokeStyle = palette.chosen;
  canvas.lineWidth = 2 * lens.ratio;
  if (radius_m !== null) {
    canvas.globalAlpha = 0.15;
    canvas.fillStyle = palette.chosen;
    canvas.beginPath();
    canvas.arc(x, y, radius_m * lens.scale, 0, 2 * Math.PI);
    canvas.fill();
    canvas.globalAlpha = 0.9;
    canvas.stroke();
  }
  canvas.globalAlpha = 1;
  canvas.beginPath();
  canvas.arc(x, y, (DOT_PX + 3) * lens.ratio, 0, 2 * Math.PI);
  canvas.stroke();
}
