// Hold what is being drawn: the document, what is chosen, the tool, the points set so far, undo.
// Takes: clicks and keys in metres. Gives: a new document for each change, to the draft that saves it.
// Rules stand in edits, snap, tools and array_copy; here is only the state between them.
import type { Line, PlanFeature, PlanProperties, Point, SiteMapDocument } from "../../map/site_map";
import { copiesOf, type ArrayWish } from "./array_copy";
import { boxAround, cornersOn, freshId, idsOf, moved, pointsOf, pointToMm, renamed, toMm, turned, withFeatures, withIds, without, withPoints, withProperty } from "./edits";
import { noHistory, redone, remembered, undone, type History } from "./history";
import { snapped, type Caught } from "./snap";
import { featureDrawn, PLANS, pointsNeeded, type Tool } from "./tools";

const REACH_PX = 12;
const NOBODY: ReadonlySet<string> = new Set();

export class Editor {
  document = $state.raw<SiteMapDocument>(EMPTY);
  floor = $state(0);
  tool = $state<Tool>("select");
  isBox = $state(true);
  grid_m = $state<number | null>(0.1);
  chosen = $state.raw<ReadonlySet<string>>(NOBODY);
  drawn = $state.raw<Line>([]);
  /** where the pointer or the crosshair of the keys is, after snapping */
  crosshair = $state.raw<Caught>({ point: [0, 0], by: "nothing" });
  private history = $state.raw<History<SiteMapDocument>>(noHistory());
  private before: SiteMapDocument | null = null;
  private lines: { of: SiteMapDocument; floor: number; lines: readonly Line[] } | null = null;

  constructor(private readonly changed: () => void) {}

  get canUndo(): boolean {
    return this.history.past.length > 0;
  }

  get canRedo(): boolean {
    return this.history.future.length > 0;
  }

  get chosenFeatures(): readonly PlanFeature[] {
    return this.document.features.filter((feature) => this.chosen.has(feature.id ?? ""));
  }

  /** The one feature that is chosen, or null. */
  get single(): PlanFeature | null {
    const [first, second] = this.chosenFeatures;
    return second === undefined ? (first ?? null) : null;
  }

  /** Start from a document of the server. What was drawn before can still be undone to, if wished. */
  open(document: SiteMapDocument, isKept: boolean): void {
    const before = this.document;
    this.document = withIds(document);
    this.history = isKept ? remembered(this.history, before) : noHistory();
    this.chosen = NOBODY;
    this.drawn = [];
  }

  use(tool: Tool): void {
    this.tool = tool;
    this.drawn = [];
    if (tool !== "select") this.chosen = NOBODY;
  }

  choose(id: string | null, isMore = false): void {
    if (id === null) this.chosen = NOBODY;
    else if (!isMore) this.chosen = new Set([id]);
    else {
      const more = new Set(this.chosen);
      if (!more.delete(id)) more.add(id);
      this.chosen = more;
    }
  }

  /** Where a point comes to lie now. */
  catchAt(point: Point, m_per_px: number, isAxis: boolean, isFree = false): Caught {
    const lines = isFree ? [] : this.linesNow();
    const last = this.drawn[this.drawn.length - 1] ?? null;
    return snapped(point, { reach_m: REACH_PX * m_per_px, grid_m: this.grid_m, axis_from: isAxis ? last : null, lines });
  }

  /** Set a point; at the last one a tool is done by itself. */
  setPoint(point: Point): void {
    if (this.tool === "select") return;
    const last = this.drawn[this.drawn.length - 1];
    if (last !== undefined && last[0] === point[0] && last[1] === point[1]) return this.finish();
    const points = [...this.drawn, pointToMm(point)];
    this.drawn = points;
    if (points.length >= pointsNeeded(this.tool, this.isBox).max) this.finish();
  }

  /** End the line or ground that is drawn, if it has points enough. */
  finish(): void {
    if (this.drawn.length < pointsNeeded(this.tool, this.isBox).min) return;
    const id = freshId(idsOf(this.document), PLANS[this.tool].stem);
    const feature = featureDrawn(this.tool, this.drawn, { isBox: this.isBox, floor: this.floor, id });
    this.drawn = [];
    this.change(withFeatures(this.document, [feature]));
    this.chosen = new Set([id]);
  }

  /** Take back the last point. */
  back(): void {
    this.drawn = this.drawn.slice(0, -1);
  }

  /** Give up: first the drawing, then the choice, then the tool. */
  escape(): void {
    if (this.drawn.length > 0) this.drawn = [];
    else if (this.chosen.size > 0) this.chosen = NOBODY;
    else this.tool = "select";
  }

  /** Change the document, so that it can be undone. */
  change(document: SiteMapDocument): void {
    if (document === this.document) return;
    if (this.before === null) this.history = remembered(this.history, this.document);
    this.document = document;
    this.changed();
  }

  /** Begin a drag: all that changes until endDrag() is one step of undo. */
  beginDrag(): void {
    this.before = this.document;
  }

  endDrag(): void {
    const before = this.before;
    this.before = null;
    if (before !== null && before !== this.document) this.history = remembered(this.history, before);
  }

  undo(): void {
    const step = undone(this.history, this.document);
    if (step !== null) this.restore(step);
  }

  redo(): void {
    const step = redone(this.history, this.document);
    if (step !== null) this.restore(step);
  }

  moveChosen(dx_m: number, dy_m: number): void {
    this.change(withFeatures(this.document, this.chosenFeatures.map((feature) => moved(feature, this.floor, dx_m, dy_m))));
  }

  /** Turn what is chosen about the middle of its box. */
  turnChosen(degrees: number): void {
    const box = boxAround(this.chosenFeatures, this.floor);
    if (box === null) return;
    const about: Point = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    this.change(withFeatures(this.document, this.chosenFeatures.map((feature) => turned(feature, this.floor, degrees, about))));
  }

  deleteChosen(): void {
    if (this.chosen.size === 0) return;
    this.change(without(this.document, this.chosen));
    this.chosen = NOBODY;
  }

  copyChosen(wish: ArrayWish): number {
    const copies = copiesOf(this.chosenFeatures, this.floor, wish, idsOf(this.document));
    if (copies.length > 0) this.change(withFeatures(this.document, copies));
    return copies.length;
  }

  setPoints(feature: PlanFeature, points: Line): void {
    this.change(withFeatures(this.document, [withPoints(feature, points, this.floor)]));
  }

  setProperty<K extends keyof PlanProperties>(feature: PlanFeature, name: K, value: PlanProperties[K] | undefined): void {
    this.change(withFeatures(this.document, [withProperty(feature, name, value)]));
  }

  setHeight(feature: PlanFeature, z_m: number): void {
    if (feature.geometry?.type !== "Point") return;
    const [x = 0, y = 0] = feature.geometry.coordinates;
    this.change(withFeatures(this.document, [{ ...feature, geometry: { type: "Point", coordinates: [x, y, toMm(z_m)] } }]));
  }

  rename(feature: PlanFeature, id: string): void {
    if (feature.id === undefined || idsOf(this.document).has(id)) return;
    this.change(renamed(this.document, feature.id, id));
    this.chosen = new Set([id]);
  }

  /** The corner of the single chosen feature within reach; -1 where there is none. */
  cornerAt(point: Point, m_per_px: number): number {
    const single = this.single;
    if (single === null) return -1;
    const reach_m = REACH_PX * m_per_px;
    return pointsOf(single, this.floor).findIndex(([x, y]) => Math.hypot(x - point[0], y - point[1]) < reach_m);
  }

  private restore(step: { history: History<SiteMapDocument>; state: SiteMapDocument }): void {
    this.history = step.history;
    this.document = step.state;
    this.chosen = new Set([...this.chosen].filter((id) => step.state.features.some((feature) => feature.id === id)));
    this.drawn = [];
    this.changed();
  }

  private linesNow(): readonly Line[] {
    if (this.before !== null) return cornersOn(this.before, this.floor, this.chosen);
    if (this.lines?.of !== this.document || this.lines.floor !== this.floor)
      this.lines = { of: this.document, floor: this.floor, lines: cornersOn(this.document, this.floor, NOBODY) };
    return [...this.lines.lines, this.drawn];
  }
}

const EMPTY: SiteMapDocument = { type: "FeatureCollection", inaisle: { version: 1, crs: "local", site: "", name: "", floors: [] }, features: [] };
