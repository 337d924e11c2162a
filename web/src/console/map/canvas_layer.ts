// A layer of the map that is one canvas, painted by a function of ours (2,000 dots at 60 frames a second
// without a graphics card, where WebGL layers reach 4 to 8).
// Takes: a painter. Gives: a layer whose canvas is painted with the map, and alone by repaint().
import type { FrameState } from "ol/Map";
import Layer from "ol/layer/Layer";

/** From metres to pixels of the canvas, as the view stands. */
export interface Lens {
  /** pixels per metre */
  scale: number;
  x(x_m: number): number;
  y(y_m: number): number;
  width: number;
  height: number;
  /** pixels of the screen per pixel of CSS */
  ratio: number;
}
export type Painter = (canvas: CanvasRenderingContext2D, lens: Lens) => void;

const RATIO_MAX = 2;

export class CanvasLayer extends Layer {
  private readonly canvas = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D | null;
  private lens: Lens | null = null;

  constructor(
    private readonly painter: Painter,
    zIndex: number,
  ) {
    super({ zIndex });
    this.canvas.style.cssText = "position:absolute;inset:0;width:100%;height:100%;pointer-events:none";
    this.canvas.setAttribute("aria-hidden", "true");
    this.context = this.canvas.getContext("2d");
  }

  override getSourceState(): "ready" {
    return "ready"; // the painter is the source
  }

  override render(frame: FrameState | null): HTMLElement {
    if (frame !== null) this.lens = this.fitted(frame);
    this.repaint();
    return this.canvas;
  }

  /** Paint again without the rest of the map: the view stands still and the plan has not changed. */
  repaint(): void {
    if (this.lens === null || this.context === null || !this.getVisible()) return;
    this.context.clearRect(0, 0, this.lens.width, this.lens.height);
    this.painter(this.context, this.lens);
  }

  private fitted(frame: FrameState): Lens {
    const ratio = Math.min(frame.pixelRatio, RATIO_MAX);
    const [width, height] = [Math.round((frame.size[0] ?? 0) * ratio), Math.round((frame.size[1] ?? 0) * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const [centre_x = 0, centre_y = 0] = frame.viewState.center;
    const scale = ratio / frame.viewState.resolution;
    return {
      scale,
      ratio,
      width,
      height,
      x: (x_m) => width / 2 + (x_m - centre_x) * scale,
      y: (y_m) => height / 2 - (y_m - centre_y) * scale,
    };
  }
}
