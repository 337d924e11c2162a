// Order of table rows: what a merchandiser sorts a shelf report by.
import { describe, expect, it } from "vitest";

import { sorted, type Column } from "../../src/kit/table_order";

interface Row {
  name: string;
  dwell: number | null;
}
const COLUMNS: readonly Column<Row>[] = [
  { id: "name", label: "Name", value: (row) => row.name },
  { id: "dwell", label: "Dwell", value: (row) => row.dwell, isNumber: true },
  { id: "plain", label: "Plain" },
];
const ROWS: readonly Row[] = [
  { name: "b", dwell: 10 },
  { name: "a", dwell: null },
  { name: "c", dwell: 9 },
];

describe("sorted", () => {
  it("puts numbers in order of size, not of letters", () => {
    const order = { column: "dwell", isDown: false };
    expect(sorted(ROWS, COLUMNS, order).map((row) => row.name)).toEqual(["c", "b", "a"]);
  });

  it("keeps rows without a value at the end, up or down", () => {
    const order = { column: "dwell", isDown: true };
    expect(sorted(ROWS, COLUMNS, order).at(-1)?.name).toBe("a");
  });

  it("leaves rows as they are where a column has nothing to compare", () => {
    expect(sorted(ROWS, COLUMNS, { column: "plain", isDown: true })).toEqual(ROWS);
  });
});
