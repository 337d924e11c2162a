// Put flows into a matrix and around one zone.
// Takes: told flows. Gives: the busiest zones with a field for each pair; a field without a told flow is
// null, since withheld and nobody cannot be told apart.
import type { FlowRow } from "../../insight/report";

/** The way in and out, as a zone of its own: no id of a zone looks like that. */
export const OUTSIDE = "~outside";

export interface Matrix {
  zones: readonly string[];
  /** visitors from the zone of the row to that of the column */
  fields: readonly (readonly (number | null)[])[];
  most: number;
}

export interface Neighbour {
  zone: string;
  visitors: number;
  share: number;
}

/** The end of a flow by name; the way in or out is a zone like any other. */
export function endOf(zone: string | null): string {
  return zone ?? OUTSIDE;
}

/** The matrix of the zones with the most visitors. */
export function matrixOf(flows: readonly FlowRow[], zonesMax: number): Matrix {
  const busy = new Map<string, number>();
  for (const flow of flows)
    for (const zone of [endOf(flow.from), endOf(flow.to)]) busy.set(zone, (busy.get(zone) ?? 0) + flow.visitors);
  const zones = [...busy.keys()].sort((one, other) => (busy.get(other) ?? 0) - (busy.get(one) ?? 0)).slice(0, zonesMax);
  const told = new Map(flows.map((flow) => [`${endOf(flow.from)} ${endOf(flow.to)}`, flow.visitors]));
  const fields = zones.map((from) => zones.map((to) => told.get(`${from} ${to}`) ?? null));
  return { zones, fields, most: Math.max(1, ...fields.flat().map((field) => field ?? 0)) };
}

/** Where those of a zone came from, the most frequent first. */
export function before(flows: readonly FlowRow[], zone: string): readonly Neighbour[] {
  const found = flows.filter((flow) => endOf(flow.to) === zone);
  return found
    .map((flow) => ({ zone: endOf(flow.from), visitors: flow.visitors, share: flow.shareOfPrevious }))
    .sort((one, other) => other.visitors - one.visitors);
}

/** Where those of a zone went, the most frequent first. */
export function after(flows: readonly FlowRow[], zone: string): readonly Neighbour[] {
  const found = flows.filter((flow) => endOf(flow.from) === zone);
  return found
    .map((flow) => ({ zone: endOf(flow.to), visitors: flow.visitors, share: flow.shareOfNext }))
    .sort((one, other) => other.visitors - one.visitors);
}
