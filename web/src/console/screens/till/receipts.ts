// Remember the purchases of the shift, so that one can be undone without a receipt.
// Takes: purchases. Gives: the newest first. No card and no code is kept, and nothing after a shift.

export interface ReceiptNote {
  purchase: string;
  /** as the server says it */
  at: string;
  /** by the clock of this till, which alone knows its shift */
  noted_ms: number;
  paid_minor: number;
  currency: string;
  returned: boolean;
}

const STORED = "inaisle.till.receipts";
const SHIFT_MS = 12 * 3_600_000;
const KEPT_MAX = 50;

/** The purchases of this shift. */
export function receiptsOf(now_ms: number, storage: Storage): readonly ReceiptNote[] {
  try {
    const kept = JSON.parse(storage.getItem(STORED) ?? "[]") as ReceiptNote[];
    return kept.filter((note) => now_ms - note.noted_ms <= SHIFT_MS).slice(0, KEPT_MAX);
  } catch {
    return []; // what stands there was not written by us
  }
}

/** Put a purchase on top, or note that it came back. */
export function withReceipt(
  notes: readonly ReceiptNote[],
  note: ReceiptNote,
  storage: Storage,
): readonly ReceiptNote[] {
  const others = notes.filter((one) => one.purchase !== note.purchase);
  const kept = [note, ...others].slice(0, KEPT_MAX);
  storage.setItem(STORED, JSON.stringify(kept));
  return kept;
}
