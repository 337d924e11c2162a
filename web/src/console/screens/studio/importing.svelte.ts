// Read a plan of a stranger, lay it on the floor by points, and take it over into the draft.
// Takes: a file, points, the editor and the draft. Gives: a preview; nothing changes before take().
import { ask, askJson } from "../../asking";
import { boxOf } from "../../map/outlines";
import type { FloorEntry, PlanFeature, PlanKind, Point, SiteMapDocument } from "../../map/site_map";
import type { Draft } from "./draft.svelte";
import { pointsOf, toMm, withFeatures } from "./edits";
import type { Editor } from "./editor.svelte";
import { fitInto, placed, sourceOf, type Fit } from "./placing";

export const BYTES_MAX = 10_000_000;
const FORMATS: Record<string, string> = { png: "image", jpg: "image", jpeg: "image", webp: "image", pdf: "pdf", dxf: "dxf", svg: "svg", geojson: "geojson", json: "geojson", zip: "imdf", imdf: "imdf" };

/** What the service read from a file. */
export interface Imported {
  features: readonly PlanFeature[];
  units: "m" | "px" | "unknown";
  background: { background: string | null; width_px: number; height_px: number } | null;
  floors: readonly Partial<FloorEntry>[];
  georeference: { lon: number; lat: number; rotation_deg: number } | null;
  warnings: readonly string[];
  extent: readonly number[];
}
export interface ControlPoint {
  source: Point;
  plan: Point;
}
interface Scale extends Fit {
  residual_cm_rms: number;
  residuals_cm: readonly number[];
}

/** The format of a file by its ending; null where it is none of ours. */
export function formatOf(name: string): string | null {
  return FORMATS[name.toLowerCase().split(".").pop() ?? ""] ?? null;
}

/** The floor as wide and deep as what lies on it; it never shrinks. */
export function grown(document: SiteMapDocument, floor: number, features: readonly PlanFeature[]): SiteMapDocument {
  const points = features.flatMap((feature) => [...pointsOf(feature, floor)]);
  if (points.length === 0) return document;
  const [, , x1, y1] = boxOf(points);
  const floors = document.inaisle.floors.map((entry) =>
    entry.floor === floor ? { ...entry, width_m: Math.max(entry.width_m, Math.ceil(toMm(x1))), height_m: Math.max(entry.height_m, Math.ceil(toMm(y1))) } : entry,
  );
  return { ...document, inaisle: { ...document.inaisle, floors } };
}

export class Importing {
  found = $state.raw<Imported | null>(null);
  fit = $state.raw<Fit | null>(null);
  scale = $state.raw<Scale | null>(null);
  points = $state.raw<readonly ControlPoint[]>([]);
  kinds = $state.raw<ReadonlySet<PlanKind>>(new Set());
  hasPicture = $state(true);
  isReading = $state(false);
  problem = $state.raw<unknown>(null);

  constructor(
    private readonly editor: Editor,
    private readonly draft: Draft,
  ) {}

  get isDown(): boolean {
    return this.found?.units === "px";
  }

  /** Read a file; a refusal names file, feature and remedy. */
  async read(file: File, page: number): Promise<void> {
    this.clear();
    this.isReading = true;
    try {
      const query = new URLSearchParams({ format: formatOf(file.name) ?? "", floor: String(this.editor.floor), page: String(page), name: file.name });
      const response = await ask("POST", `/v1/operator/site-map/imports?${query}`, file, "application/octet-stream");
      const found = (await response.json()) as Imported;
      this.found = found;
      this.kinds = new Set(found.features.map((feature) => feature.properties.kind));
      const entry = this.editor.document.inaisle.floors.find((one) => one.floor === this.editor.floor);
      this.fit = found.units === "m" ? null : fitInto(found.extent, entry?.width_m ?? 50, entry?.height_m ?? 30, this.isDown);
    } catch (problem) {
      this.problem = problem;
    } finally {
      this.isReading = false;
    }
  }

  /** Name a place of the plan, as it lies now; where it truly lies is typed after. */
  addPoint(place: Point): void {
    if (this.fit === null) return;
    this.points = [...this.points, { source: sourceOf(place, this.fit, this.isDown), plan: place }];
  }

  setPlan(index: number, plan: Point): void {
    this.points = this.points.map((point, at) => (at === index ? { ...point, plan } : point));
  }

  removePoint(index: number): void {
    this.points = this.points.filter((_, at) => at !== index);
  }

  /** Compute how the plan lies, by least squares over all points. */
  async compute(): Promise<void> {
    this.problem = null;
    try {
      const scale = await askJson<Scale>("POST", "/v1/operator/site-map/scale", { points: this.points, y_runs_down: this.isDown });
      [this.scale, this.fit] = [scale, scale];
    } catch (problem) {
      this.problem = problem;
    }
  }

  turnKind(kind: PlanKind): void {
    const kinds = new Set(this.kinds);
    if (!kinds.delete(kind)) kinds.add(kind);
    this.kinds = kinds;
  }

  /** The features as they would lie on the floor. */
  preview(): readonly PlanFeature[] {
    if (this.found === null) return [];
    const wanted = this.found.features.filter((feature) => this.kinds.has(feature.properties.kind));
    return placed(wanted, this.editor.document, this.editor.floor, this.fit, this.isDown);
  }

  /** Take the plan over into the draft; returns how many parts. */
  take(): number {
    const features = this.preview();
    const { floor } = this.editor;
    this.editor.change(grown(withFeatures(this.withHead(this.editor.document), features), floor, features));
    const picture = this.found?.background;
    if (this.hasPicture && picture?.background && this.fit !== null) {
      const { x_m, y_m, m_per_px, rotation_deg } = this.fit;
      const laid = { background: picture.background, floor, x_m, y_m, m_per_px, rotation_deg, width_px: picture.width_px, height_px: picture.height_px, opacity: 0.6 };
      this.draft.setBackgrounds([...this.draft.backgrounds, laid]);
    }
    this.clear();
    return features.length;
  }

  clear(): void {
    [this.found, this.fit, this.scale, this.problem] = [null, null, null, null];
    this.points = [];
  }

  /** Floors that the file has and the draft has not, where their size is known; its place on the earth too. */
  private withHead(given: SiteMapDocument): SiteMapDocument {
    const georeference = given.inaisle.georeference ?? this.found?.georeference;
    const document = georeference ? { ...given, inaisle: { ...given.inaisle, georeference } } : given;
    const known = new Set(document.inaisle.floors.map((entry) => entry.floor));
    const more = (this.found?.floors ?? []).filter((entry): entry is FloorEntry => entry.floor !== undefined && !known.has(entry.floor) && entry.width_m !== undefined && entry.height_m !== undefined);
    if (more.length === 0) return document;
    return { ...document, inaisle: { ...document.inaisle, floors: [...document.inaisle.floors, ...more.map((entry) => ({ ...entry, name: entry.name ?? String(entry.floor) }))] } };
  }
}
