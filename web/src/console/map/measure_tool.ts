// Measure on the map: each click is a point; the length along them and the area within are told.
// Takes: the map and its colours. Gives: points in metres, until stop().
import Feature from "ol/Feature";
import LineString from "ol/geom/LineString";
import VectorLayer from "ol/layer/Vector";
import type OlMap from "ol/Map";
import type MapBrowserEvent from "ol/MapBrowserEvent";
import VectorSource from "ol/source/Vector";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";

import { areaOf, lengthOf } from "./outlines";
import type { Palette } from "./palette";
import type { Point } from "./site_map";

const POINTS_MAX = 200;
export interface Measured {
  points: number;
  length_m: number;
  area_m2: number;
}

export class MeasureTool {
  private readonly line = new LineString([]);
  private readonly layer: VectorLayer;
  private points: Point[] = [];

  constructor(
    private readonly map: OlMap,
    palette: Palette,
    private readonly told: (measured: Measured) => void,
  ) {
    const source = new VectorSource({ features: [new Feature(this.line)] });
    const dot = new CircleStyle({ radius: 4, fill: new Fill({ color: palette.chosen }) });
    this.layer = new VectorLayer({
      source,
      zIndex: 20,
      style: new Style({ stroke: new Stroke({ color: palette.chosen, width: 3, lineDash: [8, 5] }), image: dot }),
    });
    map.addLayer(this.layer);
    map.on("click", this.add);
  }

  /** Add a point by its coordinates, as the keyboard does. */
  addAt(point: Point): void {
    if (this.points.length >= POINTS_MAX) return;
    this.points = [...this.points, point];
    this.line.setCoordinates(this.points.map((one) => [...one]));
    this.told({ points: this.points.length, length_m: lengthOf(this.points), area_m2: areaOf(this.points) });
  }

  stop(): void {
    this.map.un("click", this.add);
    this.map.removeLayer(this.layer);
  }

  private readonly add = (event: MapBrowserEvent<PointerEvent | KeyboardEvent | WheelEvent>): void => {
    this.addAt([event.coordinate[0] ?? 0, event.coordinate[1] ?? 0]);
  };
}
