// Say the numbers of one cell.
// Takes: the cell and what is told of it. Gives: a sentence, also where nothing is told.
import { decimal } from "../../../kit/format";
import type { Values } from "../../../kit/i18n.svelte";
import type { ChangeCell, HeatCell } from "../../insight/report";
import type { HEATMAP_WORDS } from "./heatmap.words";

export type CellWords = (key: keyof (typeof HEATMAP_WORDS)["de"] & string, values?: Values) => string;

export interface PickedCell {
  column: number;
  row: number;
  cellM: number;
  told: { cells: readonly HeatCell[] } | { changes: readonly ChangeCell[] };
}

const MINUTE_S = 60;

/** The sentence of a cell that was clicked. */
export function cellText(picked: PickedCell, t: CellWords): string {
  const place = t("cell", {
    x: decimal((picked.column + 0.5) * picked.cellM, 1),
    y: decimal((picked.row + 0.5) * picked.cellM, 1),
  });
  return `${place}: ${figures(picked, t)}`;
}

function figures(picked: PickedCell, t: CellWords): string {
  const isHere = (one: { column: number; row: number }): boolean =>
    one.column === picked.column && one.row === picked.row;
  if ("changes" in picked.told) {
    const found = picked.told.changes.find(isHere);
    if (found === undefined) return t("cell_withheld");
    return t("cell_change", {
      minutes: decimal(found.personSABlock / MINUTE_S, 1),
      visitors: decimal(found.visitorsABlock, 1),
      clear: t(found.isClear ? "clear" : "unclear"),
    });
  }
  const found = picked.told.cells.find(isHere);
  if (found === undefined) return t("cell_withheld");
  return t("cell_dwell", {
    visitors: decimal(found.visitors),
    minutes: decimal(found.personS / MINUTE_S, 1),
    density: decimal(found.densitySM2 / MINUTE_S, 1),
  });
}
