// Keep what was taken without a line until the server has booked it.
// Takes: signed coupons that were taken. Gives: how many wait, and what came back as a conflict.
// Each has a reference of its own, so sending one again changes nothing (docs/decisions/0018).
import { dataOf, newKey, type Api } from "../../../kit/api";
import type { components } from "../../../kit/schema";
import type { TillKey } from "./signed_coupon";

type Schemas = components["schemas"];
export type OfflineItem = Schemas["OfflineItemBody"];
export type OfflineOutcome = Schemas["OfflineOutcomeBody"];

const STORED_ITEMS = "inaisle.till.offline";
const STORED_KEYS = "inaisle.till.keys";
const BATCH_MAX = 50;
const WAITING_MAX = 500; // a till that long without a line has other troubles
const TOLD_MAX = 20;

export class OfflineBook {
  waiting = $state.raw<readonly OfflineItem[]>(stored<OfflineItem>(STORED_ITEMS));
  conflicts = $state.raw<readonly OfflineOutcome[]>([]);
  keys = $state.raw<readonly TillKey[]>(stored<TillKey>(STORED_KEYS));
  private isSending = false;
  private hasFetched = false;

  constructor(private readonly api: Api) {}

  get hasRoom(): boolean {
    return this.waiting.length < WAITING_MAX;
  }

  /** Fetch the public keys once, and send what waits; to be called again and again. */
  async catchUp(): Promise<void> {
    if (!this.hasFetched) await this.fetchKeys();
    await this.send();
  }

  /** Fetch the public keys while there is a line; without one those of before stay. */
  private async fetchKeys(): Promise<void> {
    try {
      this.keys = (await dataOf(this.api.GET("/v1/till/keys"))).keys;
      localStorage.setItem(STORED_KEYS, JSON.stringify(this.keys));
      this.hasFetched = true;
    } catch {
      // the keys of before are as good; without any, signed coupons wait for the line
    }
  }

  /** Write down what was taken. */
  note(item: Omit<OfflineItem, "reference">): void {
    this.keep([...this.waiting, { ...item, reference: newKey() }]);
    void this.send();
  }

  /** Send what waits; what the server has answered for is struck, whatever it says. */
  async send(): Promise<void> {
    if (this.isSending || this.waiting.length === 0) return;
    this.isSending = true;
    try {
      const items = this.waiting.slice(0, BATCH_MAX);
      const header = { "Idempotency-Key": newKey() };
      const params = { header };
      const { outcomes } = await dataOf(this.api.POST("/v1/till/offline-batches", { params, body: { items } }));
      const told = new Set(outcomes.map((one) => one.reference));
      this.keep(this.waiting.filter((one) => !told.has(one.reference)));
      const news = outcomes.filter((one) => one.reasons.length > 0);
      this.conflicts = [...news, ...this.conflicts].slice(0, TOLD_MAX);
    } catch {
      // it stays where it is, and goes with the next attempt
    } finally {
      this.isSending = false;
    }
  }

  private keep(items: readonly OfflineItem[]): void {
    this.waiting = items;
    localStorage.setItem(STORED_ITEMS, JSON.stringify(items));
  }
}

function stored<T>(name: string): readonly T[] {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(name) ?? "[]");
    return Array.isArray(read) ? (read as T[]) : [];
  } catch {
    return []; // what stands there was not written by us
  }
}
