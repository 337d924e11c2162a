// Keep the lines of a basket, in minor units.
// Takes: products and prices as typed. Gives: lines, their sum, and the body that the API takes.
import type { components } from "../../../kit/schema";

export type BasketBody = components["schemas"]["BasketBody"];

export interface Line {
  sku: string;
  category: string;
  name: string;
  quantity: number;
  unit_price_minor: number;
}

/** How a till without price list says what the receipt of its register comes to (docs/decisions/0017). */
export const AMOUNT = "amount";
export const QUANTITY_MAX = 9_999;
export const LINES_MAX = 500;
const PRICE_MINOR_MAX = 100_000_000;

/** Add pieces; the same thing at the same price stays one line. */
export function withLine(lines: readonly Line[], added: Line): readonly Line[] {
  const same = lines.findIndex(
    (line) => line.sku === added.sku && line.unit_price_minor === added.unit_price_minor && added.sku !== AMOUNT,
  );
  const known = lines[same];
  if (known === undefined) return lines.length < LINES_MAX ? [...lines, added] : lines;
  return withQuantity(lines, same, known.quantity + added.quantity);
}

/** Set how many pieces; none takes the line away. */
export function withQuantity(lines: readonly Line[], place: number, quantity: number): readonly Line[] {
  if (!Number.isSafeInteger(quantity) || quantity > QUANTITY_MAX) return lines;
  if (quantity <= 0) return lines.filter((_, index) => index !== place);
  return lines.map((line, index) => (index === place ? { ...line, quantity } : line));
}

/** What the lines cost before any discount. */
export function totalMinor(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + line.quantity * line.unit_price_minor, 0);
}

/** The lines as the API takes them. */
export function basketBody(lines: readonly Line[], currency: string): BasketBody {
  return {
    currency,
    lines: lines.map(({ sku, category, quantity, unit_price_minor }) => ({
      sku,
      category,
      quantity,
      unit_price_minor,
    })),
  };
}

/**
 * Read an amount as people type it: 4,49 and 4.49, 1.234,50 and 1,234.50.
 *
 * @returns minor units, or null where it is no amount. Nothing is rounded or guessed: three decimals
 * are a typing error, and "1.234" may be a thousand or one and a bit.
 */
export function minorOf(typed: string, digits = 2, minor_max = PRICE_MINOR_MAX): number | null {
  const found = /^(\d{1,3}(?:([.,])\d{3})+|\d+)(?:([.,])(\d+))?$/.exec(typed.replace(/[\s€]/g, ""));
  if (found === null) return null;
  const [, whole = "", grouped, point, decimals = ""] = found;
  if (grouped !== undefined && (point === undefined || point === grouped)) return null;
  if (decimals.length > digits) return null;
  const minor = Number(whole.replace(/[.,]/g, "") + decimals.padEnd(digits, "0"));
  return Number.isSafeInteger(minor) && minor > 0 && minor <= minor_max ? minor : null;
}
