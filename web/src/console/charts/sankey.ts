// Lay flows out from left to right.
// Takes: flows between zones, in both directions and in circles. Gives: a Sankey of two columns (from, to):
// a layout of many columns knows no circles, and shoppers walk in them.
import { sankey, sankeyJustify, sankeyLinkHorizontal } from "d3-sankey";

export interface Flow {
  from: string;
  to: string;
  visitors: number;
}
export interface Box {
  zone: string;
  side: "from" | "to";
  x: number;
  y: number;
  width: number;
  height: number;
  visitors: number;
}
export interface Ribbon {
  path: string;
  width: number;
  from: string;
  to: string;
  visitors: number;
}

const BOX_WIDTH = 14;
const PADDING = 8;
interface NodeData {
  id: string;
  zone: string;
  side: "from" | "to";
}

/** Boxes and ribbons of the largest flows within a size. */
export function sankeyOf(
  flows: readonly Flow[],
  size: { width: number; height: number },
): { boxes: readonly Box[]; ribbons: readonly Ribbon[] } {
  if (flows.length === 0) return { boxes: [], ribbons: [] };
  const node = (zone: string, side: "from" | "to"): NodeData => ({ id: `${side} ${zone}`, zone, side });
  const known = new Map(flows.flatMap((flow) => [node(flow.from, "from"), node(flow.to, "to")]).map((one) => [one.id, one]));
  const layout = sankey<NodeData, object>()
    .nodeId((one) => one.id)
    .nodeAlign(sankeyJustify)
    .nodeWidth(BOX_WIDTH)
    .nodePadding(PADDING)
    .extent([[0, PADDING], [size.width, size.height - PADDING]]);
  const graph = layout({
    nodes: [...known.values()],
    links: flows.map((flow) => ({ source: `from ${flow.from}`, target: `to ${flow.to}`, value: flow.visitors })),
  });
  const draw = sankeyLinkHorizontal<NodeData, object>();
  return {
    boxes: graph.nodes.map((one) => ({
      zone: one.zone,
      side: one.side,
      x: one.x0 ?? 0,
      y: one.y0 ?? 0,
      width: (one.x1 ?? 0) - (one.x0 ?? 0),
      height: Math.max(1, (one.y1 ?? 0) - (one.y0 ?? 0)),
      visitors: one.value ?? 0,
    })),
    ribbons: graph.links.map((link) => ({
      path: draw(link) ?? "",
      width: Math.max(1, link.width ?? 1),
      from: (link.source as NodeData).zone,
      to: (link.target as NodeData).zone,
      visitors: link.value,
    })),
  };
}

/** The largest flows, and how many are not shown. */
export function largest<F extends Flow>(flows: readonly F[], count: number): readonly F[] {
  return flows.toSorted((one, other) => other.visitors - one.visitors).slice(0, count);
}
