// Tell OpenLayers that a plan is in metres, x right and y up, and nowhere on the globe.
import Projection from "ol/proj/Projection";
import View from "ol/View";

import type { FloorEntry } from "./site_map";

export const METRES = new Projection({
  code: "inaisle:metres",
  units: "m",
  metersPerUnit: 1,
  global: false,
  getPointResolution: (resolution) => resolution,
});

const AROUND = 0.5; // of the floor's size may be seen beside it
const CLOSEST_M_PER_PX = 0.002;

/** A view that holds one floor; it neither turns nor loses the floor. */
export function viewOf(floor: FloorEntry): View {
  const [width, height] = [floor.width_m, floor.height_m];
  const [beside_x, beside_y] = [width * AROUND, height * AROUND];
  return new View({
    projection: METRES,
    center: [width / 2, height / 2],
    extent: [-beside_x, -beside_y, width + beside_x, height + beside_y],
    showFullExtent: true,
    resolution: Math.max(width, height) / 800,
    minResolution: CLOSEST_M_PER_PX,
    maxResolution: (Math.max(width, height) * 3) / 300,
    enableRotation: false,
    constrainOnlyCenter: true,
  });
}

/** The longest round length that is at most so many pixels: 1, 2 or 5 times a power of ten. */
export function scaleBarOf(m_per_px: number, px_max: number): { length_m: number; width_px: number } {
  const length_max_m = Math.max(m_per_px * px_max, 1e-6);
  const power = 10 ** Math.floor(Math.log10(length_max_m));
  const length_m = [5, 2, 1].map((step) => step * power).find((one) => one <= length_max_m) ?? power;
  return { length_m, width_px: length_m / m_per_px };
}
