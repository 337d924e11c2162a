// Hold what one counter is doing: the basket, what was shown, what it costs, what came of it.
// Takes: scans and presses. Gives: state for the components. It asks the server; it computes no price.
import { ApiProblem, dataOf, type Api } from "../../../kit/api";
import { language } from "../../../kit/i18n.svelte";
import { basketBody, totalMinor, withLine, type Line } from "./basket";
import { OfflineBook } from "./offline_book.svelte";
import { receiptsOf, withReceipt, type ReceiptNote } from "./receipts";
import { scannedOf, type Scanned } from "./scanned";
import { discountOf, readSigned, type SignedCoupon, type SignedFault } from "./signed_coupon";
import { sendWish, type Answer, type HeldBasket, type Product, type Purchase, type Quote } from "./till_api";
import { fulfil, openWish, wishFor, type Deed, type Wish } from "./wish";

/** What the large field says; the words are chosen where it is drawn. */
export type Outcome =
  | { kind: "paid"; purchase: Purchase | null; total_minor: number; saved_minor?: number }
  | { kind: "unsigned"; fault: SignedFault }
  | { kind: "cancelled" }
  | { kind: "returned"; refund_minor: number; currency: string }
  | { kind: "granted"; points: number }
  | { kind: "refused"; problem: unknown };

const STORED = "inaisle.till.sale";
const CODES_MAX = 20;

interface Sale {
  lines: readonly Line[];
  codes: readonly string[];
  card: string | null;
  points: number | null;
  /** a coupon that this till has checked itself; it is taken alone */
  signed: SignedCoupon | null;
  held: HeldBasket | null;
}
const NOTHING: Sale = { lines: [], codes: [], card: null, points: null, signed: null, held: null };

export class Till {
  sale = $state.raw<Sale>(NOTHING);
  quote = $state.raw<Quote | null>(null);
  quoteProblem = $state.raw<unknown>(null);
  found = $state.raw<readonly Product[]>([]);
  unknown = $state<string | null>(null);
  outcome = $state.raw<Outcome | null>(null);
  wish = $state.raw<Wish | null>(null);
  attempts = $state(0);
  isOffline = $state(false);
  receipts = $state.raw<readonly ReceiptNote[]>([]);
  readonly currency = "EUR";
  readonly book: OfflineBook;
  private asked = 0;

  constructor(
    private readonly api: Api,
    private readonly by: string,
    private readonly site: string,
    private readonly now_ms: () => number = () => Date.now(),
  ) {
    this.book = new OfflineBook(api);
    this.receipts = receiptsOf(this.now_ms(), localStorage);
    this.sale = storedSale();
    if (this.sale.lines.length > 0 && this.sale.held === null) void this.price();
    const open = openWish(by, this.now_ms(), localStorage);
    if (open !== null) void this.carryOut(open);
  }

  get total_minor(): number {
    return totalMinor(this.sale.lines);
  }
  /** Whether somebody has shown something that the server has to know of. */
  get isShown(): boolean {
    return this.sale.card !== null || this.sale.codes.length > 0;
  }
  /** What the signed coupon takes off each line; null where there is none, or it takes nothing now. */
  get signedLines(): readonly number[] | SignedFault | null {
    const { signed, lines } = this.sale;
    return signed === null ? null : discountOf(signed, lines, { site: this.site, now_ms: this.now_ms(), currency: this.currency });
  }
  get signedMinor(): number {
    const off = this.signedLines;
    return Array.isArray(off) ? off.reduce((sum: number, one: number) => sum + one, 0) : 0;
  }
  get isBusy(): boolean {
    return this.wish !== null;
  }

  /** Take what was scanned or typed. */
  async take(typed: string): Promise<void> {
    const scanned = scannedOf(typed);
    if (scanned === null || this.isBusy || this.sale.held !== null) return;
    this.outcome = null;
    this.unknown = null;
    await this.takeScanned(scanned);
  }

  private async takeScanned(scanned: Scanned): Promise<void> {
    switch (scanned.kind) {
      case "signed":
        return this.takeSigned(scanned.text);
      case "card":
        if (this.sale.signed !== null) return this.unsigned("alone");
        return this.change({ card: scanned.text });
      case "coupon":
        if (this.sale.signed !== null) return this.unsigned("alone");
        if (this.sale.codes.includes(scanned.text) || this.sale.codes.length >= CODES_MAX) return;
        return this.change({ codes: [...this.sale.codes, scanned.text] });
      case "product":
      case "words":
        return this.find(scanned.text);
    }
  }

  private async takeSigned(text: string): Promise<void> {
    if (this.isShown) return this.unsigned("alone");
    if (this.book.waiting.some((one) => one.signed === text)) return this.unsigned("taken_before");
    const read = await readSigned(text, this.book.keys);
    if (typeof read === "string") return this.unsigned(read);
    await this.change({ signed: read });
  }

  private unsigned(fault: SignedFault): void {
    this.outcome = { kind: "unsigned", fault };
  }

  private async find(text: string): Promise<void> {
    try {
      const query = { q: text.slice(0, 100) };
      const header = { "Accept-Language": language.current };
      const answer = await dataOf(this.api.GET("/v1/till/products", { params: { query, header } }));
      this.reached();
      const [only] = answer.products;
      if (answer.is_number && only !== undefined && only.price !== null) this.addProduct(only);
      else this.found = answer.products;
      if (answer.products.length === 0) this.unknown = text;
    } catch (problem) {
      this.missed(problem);
      this.unknown = text; // sku and price can be typed
    }
  }

  /** Put a product of the catalogue into the basket. */
  addProduct(product: Product): void {
    const unit_price_minor = product.price?.amount_minor;
    if (unit_price_minor === undefined) return;
    this.add({ sku: product.sku, category: product.category, name: product.name, quantity: 1, unit_price_minor });
  }

  add(line: Line): void {
    this.found = [];
    this.unknown = null;
    this.outcome = null;
    void this.change({ lines: withLine(this.sale.lines, line) });
  }

  /** Change the open basket, and ask what it costs now. */
  async change(part: Partial<Sale>): Promise<void> {
    if (this.isBusy || this.sale.held !== null) return; // a late answer must not change what was told
    this.sale = { ...this.sale, ...part };
    sessionStorage.setItem(STORED, JSON.stringify(this.sale));
    await this.price();
  }

  private async price(): Promise<void> {
    const number = ++this.asked;
    this.quote = null;
    this.quoteProblem = null;
    if (this.sale.lines.length === 0 || !this.isShown || this.sale.held !== null) return;
    try {
      const quote = await dataOf(this.api.POST("/v1/till/baskets/quote", { body: this.request() }));
      this.reached();
      if (number === this.asked) this.quote = quote;
    } catch (problem) {
      this.missed(problem);
      if (number === this.asked) this.quoteProblem = problem;
    }
  }

  private request() {
    const { lines, codes, card, points } = this.sale;
    return {
      basket: basketBody(lines, this.currency),
      codes: [...codes],
      card,
      spend: points === null ? null : { unit: "points", amount_minor: points },
    };
  }

  /** Set coupons aside: what is told now is what is paid. Without card and coupon there is nothing to. */
  async charge(): Promise<void> {
    if (this.sale.lines.length === 0 || this.sale.held !== null) return;
    if (this.isShown) return this.want({ kind: "hold", body: this.request() });
    if (this.sale.signed !== null) return this.chargeSigned(this.sale.signed);
    this.finish({ kind: "paid", purchase: null, total_minor: this.total_minor });
  }

  /** Take a signed coupon: it is written down here, and booked when there is a line. */
  private chargeSigned(signed: SignedCoupon): void {
    const off = this.signedLines;
    if (off === null || typeof off === "string") return this.unsigned(off ?? "not_genuine");
    if (!this.book.hasRoom) return this.unsigned("needs_line");
    this.book.note({
      signed: signed.text,
      redeemed_at: new Date(this.now_ms()).toISOString(),
      basket: basketBody(this.sale.lines, this.currency),
      discount_lines_minor: [...off],
    });
    const saved_minor = this.signedMinor;
    this.finish({ kind: "paid", purchase: null, total_minor: this.total_minor - saved_minor, saved_minor });
  }

  async commit(): Promise<void> {
    if (this.sale.held !== null) await this.want({ kind: "commit", basket: this.sale.held.held });
  }

  async cancel(): Promise<void> {
    if (this.sale.held === null) this.finish({ kind: "cancelled" });
    else await this.want({ kind: "cancel", basket: this.sale.held.held });
  }

  /** Wish for something that moves value; while one wish is open there is no other. */
  async want(deed: Deed): Promise<void> {
    if (this.isBusy) return;
    this.outcome = null;
    await this.carryOut(wishFor(deed, this.by, this.now_ms(), localStorage));
  }

  private async carryOut(wish: Wish): Promise<void> {
    this.wish = wish;
    this.attempts = 0;
    try {
      const send = (one: Wish): Promise<Answer> => sendWish(this.api, one);
      const answer = await fulfil(wish, localStorage, send, pause, (problem, attempt) => {
        this.attempts = attempt + 1;
        this.missed(problem);
      });
      this.reached();
      this.settle(answer, wish);
    } catch (problem) {
      this.refuse(problem, wish);
    } finally {
      this.wish = null;
    }
  }

  private settle(answer: Answer, wish: Wish): void {
    switch (answer.kind) {
      case "hold":
        this.store({ ...this.sale, held: answer.held });
        return;
      case "commit":
        this.remember(answer.purchase, false);
        return this.finish({ kind: "paid", purchase: answer.purchase, total_minor: answer.purchase.basket_total.amount_minor });
      case "cancel":
        return this.finish({ kind: "cancelled" });
      case "return": {
        const { refund, purchase } = answer.returned;
        const note = this.receipts.find((one) => one.purchase === purchase);
        if (note !== undefined) this.receipts = withReceipt(this.receipts, { ...note, returned: true }, localStorage);
        this.outcome = { kind: "returned", refund_minor: refund.amount_minor, currency: refund.currency };
        return;
      }
      case "goodwill":
        this.outcome = { kind: "granted", points: answer.points };
        return;
      default:
        throw new Error(`no way to settle ${JSON.stringify(wish.deed)}`);
    }
  }

  private refuse(problem: unknown, wish: Wish): void {
    if (problem instanceof ApiProblem && problem.status === 401) return; // the page asks to sign in
    const isOver = wish.deed.kind === "commit" || wish.deed.kind === "cancel";
    const staysHeld = reasonOf(problem) === "balance_too_low"; // nothing was done; it can be cancelled
    if (isOver && !staysHeld) this.store({ ...this.sale, held: null });
    this.outcome = { kind: "refused", problem };
  }

  private remember(purchase: Purchase, returned: boolean): void {
    const { amount_minor, currency } = purchase.paid;
    const note = {
      purchase: purchase.purchase,
      at: purchase.at,
      noted_ms: this.now_ms(),
      paid_minor: amount_minor,
      currency,
      returned,
    };
    this.receipts = withReceipt(this.receipts, note, localStorage);
  }

  private finish(outcome: Outcome): void {
    this.outcome = outcome;
    this.store(NOTHING);
    this.quote = null;
    this.quoteProblem = null;
  }

  private store(sale: Sale): void {
    this.sale = sale;
    sessionStorage.setItem(STORED, JSON.stringify(sale));
  }

  private missed(problem: unknown): void {
    if (problem instanceof ApiProblem) this.isOffline = problem.isOffline;
  }

  private reached(): void {
    this.isOffline = false;
  }
}

/** Why the server has refused, where it says so. */
export function reasonOf(problem: unknown): string | null {
  const body = problem instanceof ApiProblem ? (problem.body as { reason?: unknown } | undefined) : undefined;
  return typeof body?.reason === "string" ? body.reason : null;
}

function storedSale(): Sale {
  try {
    return { ...NOTHING, ...(JSON.parse(sessionStorage.getItem(STORED) ?? "{}") as Partial<Sale>) };
  } catch {
    return NOTHING; // what stands there was not written by us
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
