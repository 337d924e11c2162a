// Draw the pictures of plans below the map, each as its fit says.
// Takes: backgrounds of the draft. Gives: a layer; pictures are fetched once, with the token.
import { ask } from "../../asking";
import { CanvasLayer, type Lens } from "../../map/canvas_layer";
import type { Background } from "./draft.svelte";

const Z_BACKGROUND = 0.5;

export class BackgroundLayer extends CanvasLayer {
  private shown: readonly Background[] = [];
  private floor = 0;
  private readonly pictures = new Map<string, ImageBitmap | null>();

  constructor() {
    super((canvas, lens) => {
      for (const one of this.shown) if (one.floor === this.floor) this.draw(canvas, lens, one);
    }, Z_BACKGROUND);
  }

  show(backgrounds: readonly Background[], floor: number): void {
    [this.shown, this.floor] = [backgrounds, floor];
    for (const one of backgrounds) if (!this.pictures.has(one.background)) void this.fetch(one.background);
    this.changed();
  }

  private async fetch(name: string): Promise<void> {
    this.pictures.set(name, null);
    try {
      const response = await ask("GET", `/v1/operator/site-map/backgrounds/${encodeURIComponent(name)}`);
      this.pictures.set(name, await createImageBitmap(await response.blob()));
      this.changed();
    } catch {
      this.pictures.delete(name); // asked for again when the draft changes; the drawing goes on without it
    }
  }

  private draw(canvas: CanvasRenderingContext2D, lens: Lens, one: Background): void {
    const picture = this.pictures.get(one.background);
    if (!picture) return;
    canvas.save();
    canvas.globalAlpha = one.opacity;
    canvas.translate(lens.x(one.x_m), lens.y(one.y_m));
    canvas.rotate((-one.rotation_deg * Math.PI) / 180);
    const scale = one.m_per_px * lens.scale;
    canvas.drawImage(picture, 0, 0, one.width_px * scale, one.height_px * scale);
    canvas.restore();
  }
}
