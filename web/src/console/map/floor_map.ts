// Show one floor of a site map: the plan, a heat layer below the shelves, people above all.
// Takes: the element, the document, the floor, what is switched on. Gives: the OpenLayers map to tools
// that draw or measure on it. Screens speak to this class, and to OpenLayers only where they edit.
import Feature from "ol/Feature";
import { defaults as defaultInteractions } from "ol/interaction/defaults";
import LineString from "ol/geom/LineString";
import Point from "ol/geom/Point";
import Polygon from "ol/geom/Polygon";
import VectorLayer from "ol/layer/Vector";
import OlMap from "ol/Map";
import VectorSource from "ol/source/Vector";
import Fill from "ol/style/Fill";
import Style from "ol/style/Style";

import { CanvasLayer, type Painter } from "./canvas_layer";
import { HeatLayer } from "./heat_layer";
import { viewOf } from "./metre_projection";
import { onPaletteChange, paletteOf, type Palette } from "./palette";
import { isNamed, PLAN_LAYERS, stylesOf, type PlanLayer } from "./plan_style";
import { featuresOn, floorOf, outlineOf, type PlanFeature, type SiteMapDocument } from "./site_map";

const Z = { floor: 0, walkable: 1, heat: 2, zones: 3, fixtures: 4, walls: 5, anchors: 6, names: 7, people: 9 } as const;
const MARGIN_PX = [16, 64, 40, 16]; // room for the buttons on the right and the scale bar below
export type ShownLayer = PlanLayer | "heat" | "people";

export class FloorMap {
  readonly map: OlMap;
  readonly heat: HeatLayer;
  palette: Palette;
  private readonly floorSource = new VectorSource();
  private readonly floorLayer = new VectorLayer({ source: this.floorSource, zIndex: Z.floor });
  private readonly plan = new Map<PlanLayer, VectorLayer>();
  private readonly people: CanvasLayer | null;
  private readonly stops: (() => void)[] = [];
  private shownFloor: string | null = null;

  constructor(target: HTMLElement, painter: Painter | null = null) {
    this.palette = paletteOf();
    this.heat = new HeatLayer(Z.heat);
    this.people = painter === null ? null : new CanvasLayer(painter, Z.people);
    for (const name of PLAN_LAYERS) {
      const isSeldom = name === "names";
      this.plan.set(name, new VectorLayer({ source: new VectorSource(), zIndex: Z[name], declutter: isSeldom }));
    }
    this.map = new OlMap({
      target,
      controls: [],
      interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false }),
      layers: [this.floorLayer, this.heat, ...this.plan.values(), ...(this.people ? [this.people] : [])],
    });
    this.recolour();
    this.stops.push(onPaletteChange(() => this.recolour()));
  }

  /** Show the plan of a floor; the view stays unless the floor is another one. */
  show(document: SiteMapDocument, floor: number): void {
    const entry = floorOf(document, floor);
    const ground = featuresOn(document, entry.floor);
    this.floorSource.clear(true);
    this.floorSource.addFeature(new Feature(new Polygon([box(entry.width_m, entry.height_m)])));
    for (const name of PLAN_LAYERS) {
      const source = this.source(name);
      source.clear(true);
      source.addFeatures(ground.filter((one) => isIn(one, name)).flatMap((one) => drawn(one, entry.floor)));
    }
    const id = `${entry.floor} ${entry.width_m} ${entry.height_m}`;
    if (this.shownFloor !== id) {
      this.shownFloor = id;
      this.map.setView(viewOf(entry));
      this.fit([0, 0, entry.width_m, entry.height_m]);
    }
  }

  setVisible(name: ShownLayer, isVisible: boolean): void {
    const layer = name === "heat" ? this.heat : name === "people" ? this.people : this.plan.get(name);
    layer?.setVisible(isVisible);
  }

  /** Bring a part of the floor into sight. */
  fit(extent: readonly number[]): void {
    this.map.updateSize();
    this.map.getView().fit([...extent], { padding: MARGIN_PX, minResolution: 0.01 });
  }

  /** Move the view to a place, without changing how near it is. */
  goTo(x_m: number, y_m: number): void {
    this.map.getView().setCenter([x_m, y_m]);
  }

  /** Move the view to a place only where it cannot be seen. */
  bringIntoSight(x_m: number, y_m: number): void {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = this.map.getView().calculateExtent(this.map.getSize());
    if (x_m < x0 || x_m > x1 || y_m < y0 || y_m > y1) this.goTo(x_m, y_m);
  }

  zoomBy(steps: number): void {
    const view = this.map.getView();
    view.adjustZoom(steps);
  }

  /** Paint the people again, and nothing else. */
  repaintPeople(): void {
    this.people?.repaint();
  }

  /** Call when the page changes between light and dark. */
  onRecolour(changed: () => void): void {
    this.stops.push(onPaletteChange(changed));
  }

  close(): void {
    for (const stop of this.stops) stop();
    this.map.setTarget(undefined);
    this.map.dispose();
  }

  private source(name: PlanLayer): VectorSource {
    return this.plan.get(name)?.getSource() ?? new VectorSource();
  }

  private recolour(): void {
    this.palette = paletteOf();
    const styles = stylesOf(this.palette);
    for (const [name, layer] of this.plan) layer.setStyle(styles[name]);
    this.floorLayer.setStyle(new Style({ fill: new Fill({ color: this.palette.floor }) }));
    this.heat.setIsDark(this.palette.isDark);
    this.map.render();
  }
}

function isIn(feature: PlanFeature, layer: PlanLayer): boolean {
  const { kind } = feature.properties;
  if (layer === "names") return isNamed(feature);
  if (layer === "anchors") return kind === "anchor" || kind === "connector";
  return `${kind}s` === layer || kind === layer;
}

function box(width_m: number, height_m: number): number[][] {
  return [[0, 0], [width_m, 0], [width_m, height_m], [0, height_m], [0, 0]];
}

/** The features of the map for one of the plan; the face of a shelf has its strip beside it. */
export function drawn(plan: PlanFeature, floor: number): Feature[] {
  const { geometry } = plan;
  const shapes = [];
  if (plan.properties.kind === "connector")
    shapes.push(...stopsOn(plan, floor).map((at) => new Point([...at])));
  else if (geometry?.type === "Point") shapes.push(new Point(geometry.coordinates.slice(0, 2)));
  else if (geometry?.type === "Polygon")
    shapes.push(new Polygon(geometry.coordinates.map((ring) => ring.map((at) => [...at]))));
  else if (geometry?.type === "LineString") {
    const strip = outlineOf(plan);
    if (strip.length > 2) shapes.push(new Polygon([[...strip, strip[0] ?? [0, 0]].map((at) => [...at])]));
    shapes.push(new LineString(geometry.coordinates.map((at) => [...at])));
  }
  return shapes.map((shape) => new Feature({ geometry: shape, plan }));
}

function stopsOn(plan: PlanFeature, floor: number): (readonly [number, number])[] {
  return (plan.properties.stops ?? []).filter((stop) => stop.floor === floor).map((stop) => stop.at);
}
