// Put rows of a table in order. Takes: rows, columns, the column that was clicked. Gives: the rows anew.

export interface Column<Row> {
  id: string;
  label: string;
  /** what is written; without it the table's `cell` snippet draws the cell */
  text?: (row: Row) => string;
  /** what is compared; without it the column cannot be sorted by */
  value?: (row: Row) => number | string | null;
  isNumber?: boolean;
}

export interface Order {
  column: string;
  isDown: boolean;
}

/** Return the rows in order; rows without a value come last either way. */
export function sorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  order: Order | null,
): readonly Row[] {
  const value = columns.find((column) => column.id === order?.column)?.value;
  if (order === null || value === undefined) return rows;
  const sign = order.isDown ? -1 : 1;
  return rows.toSorted((one, other) => {
    const [left, right] = [value(one), value(other)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    if (typeof left === "number" && typeof right === "number") return sign * (left - right);
    return sign * String(left).localeCompare(String(right));
  });
}
