// A layer that shows a grid of amounts, one pixel a cell, scaled as it stands: what is seen is what the
// API told, without a kernel of our own that could disagree.
// Takes: a grid, its scale and the name of a ramp. Gives: a layer below the shelves, and its legend.
import { CanvasLayer } from "./canvas_layer";
import { pixelsOf, type Grid, type Scale } from "./grid";
import { rampOf, type Ramp, type RampName } from "./ramp";

export class HeatLayer extends CanvasLayer {
  private grid: Grid | null = null;
  private scale: Scale = { low: 0, high: 1, isRooted: false };
  private name: RampName = "heat";
  private isDark = false;
  private readonly picture: HTMLCanvasElement;

  constructor(zIndex: number) {
    const picture = document.createElement("canvas");
    super((canvas, lens) => {
      const grid = this.grid;
      if (grid === null) return;
      const [width, height] = [grid.columns * grid.cell_m * lens.scale, grid.rows * grid.cell_m * lens.scale];
      const top = lens.y(grid.y0_m + grid.rows * grid.cell_m);
      canvas.imageSmoothingEnabled = false;
      canvas.drawImage(picture, lens.x(grid.x0_m), top, width, height);
    }, zIndex);
    this.picture = picture;
  }

  /** Show a grid, or nothing. */
  show(grid: Grid | null, scale: Scale, name: RampName): void {
    [this.grid, this.scale, this.name] = [grid, scale, name];
    this.draw();
  }

  setIsDark(isDark: boolean): void {
    this.isDark = isDark;
    this.draw();
  }

  private ramp(): Ramp {
    return rampOf(this.name, this.isDark);
  }

  private draw(): void {
    if (this.grid !== null) {
      const { columns, rows } = this.grid;
      [this.picture.width, this.picture.height] = [columns, rows];
      const pixels = new ImageData(pixelsOf(this.grid, this.scale, this.ramp()), columns, rows);
      this.picture.getContext("2d")?.putImageData(pixels, 0, 0);
    }
    this.changed();
  }
}
