// Drag anchors on the map. Takes: the map's pointer. Gives: the anchor's id and its new place.
import PointerInteraction from "ol/interaction/Pointer";
import type MapBrowserEvent from "ol/MapBrowserEvent";

import { planOf } from "../../map/plan_style";
import type { Point } from "../../map/site_map";

type Pointed = MapBrowserEvent<PointerEvent | KeyboardEvent | WheelEvent>;
const HIT_PX = 10;

export class AnchorPointing extends PointerInteraction {
  private held: string | null = null;

  constructor(private readonly moved: (anchor: string, to: Point) => void) {
    super({});
  }

  override handleDownEvent(event: Pointed): boolean {
    this.held = anchorAt(event);
    return this.held !== null;
  }

  override handleMoveEvent(event: Pointed): void {
    event.map.getViewport()?.style.setProperty("cursor", anchorAt(event) === null ? "" : "grab");
  }

  override handleDragEvent(event: Pointed): void {
    if (this.held !== null) this.moved(this.held, [event.coordinate[0] ?? 0, event.coordinate[1] ?? 0]);
  }

  override handleUpEvent(): boolean {
    this.held = null;
    return false;
  }
}

function anchorAt(event: Pointed): string | null {
  for (const feature of event.map.getFeaturesAtPixel(event.pixel, { hitTolerance: HIT_PX })) {
    const plan = feature.get("plan") === undefined ? null : planOf(feature);
    if (plan?.properties.kind === "anchor") return plan.id ?? null;
  }
  return null;
}
