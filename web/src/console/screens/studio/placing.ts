// Bring imported features onto the floor: from pixels or unknown units into metres of its frame.
// Takes: features as the import gives them, and how the source lies on the floor. Gives: features for
// the draft, with ids that nobody has.
import type { PlanFeature, Point, SiteMapDocument } from "../../map/site_map";
import { freshId, idsOf, mapped } from "./edits";

/** How a picture or drawing lies: place of its origin, metres per unit, turn. */
export interface Fit {
  x_m: number;
  y_m: number;
  m_per_px: number;
  rotation_deg: number;
}

/** Where a place of the source lies on the floor. */
export function placedAt(source: Point, fit: Fit, isDown: boolean): Point {
  const [sin, cos] = [Math.sin((fit.rotation_deg * Math.PI) / 180), Math.cos((fit.rotation_deg * Math.PI) / 180)];
  const [u, v] = [source[0] * fit.m_per_px, (isDown ? -source[1] : source[1]) * fit.m_per_px];
  return [fit.x_m + u * cos - v * sin, fit.y_m + u * sin + v * cos];
}

/** Where a place of the floor lies in the source: the way back. */
export function sourceOf(place: Point, fit: Fit, isDown: boolean): Point {
  const [sin, cos] = [Math.sin((fit.rotation_deg * Math.PI) / 180), Math.cos((fit.rotation_deg * Math.PI) / 180)];
  const [dx, dy] = [place[0] - fit.x_m, place[1] - fit.y_m];
  const [u, v] = [(dx * cos + dy * sin) / fit.m_per_px, (-dx * sin + dy * cos) / fit.m_per_px];
  return [u, isDown ? -v : v];
}

/** Lay a source whole into a floor, before anybody has named a scale. */
export function fitInto(extent: readonly number[], width_m: number, height_m: number, isDown: boolean): Fit {
  const [x0 = 0, y0 = 0, x1 = 1, y1 = 1] = extent;
  const scale = Math.min(width_m / Math.max(x1 - x0, 1e-9), height_m / Math.max(y1 - y0, 1e-9));
  return { m_per_px: scale, rotation_deg: 0, x_m: -x0 * scale, y_m: isDown ? y1 * scale : -y0 * scale };
}

/** The features on a floor; a fit of null takes their coordinates for metres. */
export function placed(features: readonly PlanFeature[], document: SiteMapDocument, floor: number, fit: Fit | null, isDown: boolean): readonly PlanFeature[] {
  const taken = idsOf(document);
  const fresh = new Map<string, string>();
  for (const feature of features) {
    const wanted = feature.id ?? "";
    const id = wanted !== "" && !taken.has(wanted) ? wanted : freshId(taken, wanted.replace(/-\d+$/, "") || feature.properties.kind);
    taken.add(id);
    if (wanted !== "") fresh.set(wanted, id);
    else fresh.set(`${fresh.size} `, id);
  }
  const ids = [...fresh.values()];
  return features.map((feature, index) => {
    const { parent } = feature.properties;
    const on = feature.properties.kind === "connector" ? {} : { floor: feature.properties.floor ?? floor };
    const properties = { ...feature.properties, ...on, ...(parent === undefined ? {} : { parent: fresh.get(parent) ?? parent }) };
    const named: PlanFeature = { ...feature, id: ids[index] ?? "", properties };
    return mapped(named, properties.floor ?? floor, (point) => (fit === null ? point : placedAt(point, fit, isDown)));
  });
}
