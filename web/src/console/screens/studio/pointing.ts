// Lead the pointer on the map to the editor: set points, choose, drag corners and features.
// Takes: the map and the editor. Gives: an interaction; which point it is, the editor's rules say.
import PointerInteraction from "ol/interaction/Pointer";
import type OlMap from "ol/Map";
import type MapBrowserEvent from "ol/MapBrowserEvent";

import { planOf } from "../../map/plan_style";
import type { Point } from "../../map/site_map";
import { moved, pointsOf, withFeatures } from "./edits";
import type { Editor } from "./editor.svelte";

type Pointed = MapBrowserEvent<PointerEvent | KeyboardEvent | WheelEvent>;
const HIT_PX = 6;

export class Pointing extends PointerInteraction {
  private corner = -1;
  private from: Point = [0, 0];

  constructor(
    private readonly editor: Editor,
    private readonly repaint: () => void,
  ) {
    super({});
  }

  override handleEvent(event: Pointed): boolean {
    if (event.type === "click") this.click(event);
    return super.handleEvent(event) !== false && event.type !== "dblclick";
  }

  override handleMoveEvent(event: Pointed): void {
    this.follow(event);
  }

  override handleDownEvent(event: Pointed): boolean {
    const at = placeOf(event);
    if (this.editor.tool !== "select") return false;
    this.corner = this.editor.cornerAt(at, scaleOf(event.map));
    const isHeld = this.corner >= 0 || idsAt(event).some((id) => this.editor.chosen.has(id));
    if (isHeld) {
      this.from = at;
      this.editor.beginDrag();
    }
    return isHeld;
  }

  override handleDragEvent(event: Pointed): void {
    const { editor } = this;
    const caught = this.follow(event);
    const single = editor.single;
    if (this.corner >= 0 && single !== null) {
      const points = pointsOf(single, editor.floor).map((point, index) => (index === this.corner ? caught : point));
      editor.setPoints(single, points);
      return;
    }
    const step = editor.grid_m ?? 0.001;
    const at = placeOf(event);
    const by = [0, 1].map((axis) => Math.round(((at[axis] ?? 0) - (this.from[axis] ?? 0)) / step) * step);
    const [dx = 0, dy = 0] = by;
    if (dx === 0 && dy === 0) return;
    this.from = [this.from[0] + dx, this.from[1] + dy];
    editor.change(withFeatures(editor.document, editor.chosenFeatures.map((one) => moved(one, editor.floor, dx, dy))));
  }

  override handleUpEvent(): boolean {
    this.corner = -1;
    this.editor.endDrag();
    return false;
  }

  private click(event: Pointed): void {
    const { editor } = this;
    if (editor.tool !== "select") {
      editor.setPoint(this.follow(event));
      return;
    }
    const [first] = idsAt(event);
    editor.choose(first ?? null, isWith(event, "ctrlKey") || isWith(event, "metaKey") || isWith(event, "shiftKey"));
  }

  private follow(event: Pointed): Point {
    const caught = this.editor.catchAt(placeOf(event), scaleOf(event.map), isWith(event, "shiftKey"), isWith(event, "altKey"));
    this.editor.crosshair = caught;
    this.repaint();
    return caught.point;
  }
}

function placeOf(event: Pointed): Point {
  return [event.coordinate[0] ?? 0, event.coordinate[1] ?? 0];
}

function scaleOf(map: OlMap): number {
  return map.getView().getResolution() ?? 0.05;
}

function isWith(event: Pointed, key: "shiftKey" | "ctrlKey" | "metaKey" | "altKey"): boolean {
  return event.originalEvent[key];
}

/** What lies under the pointer, topmost first. */
function idsAt(event: Pointed): readonly string[] {
  const found = event.map.getFeaturesAtPixel(event.pixel, { hitTolerance: HIT_PX });
  return found.flatMap((feature) => (feature.get("plan") === undefined ? [] : (planOf(feature).id ?? [])));
}
