// Try anchors out: each change is computed anew a moment later, one question at a time.
// Takes: the map in force. Gives: the coverage of what is tried, its figures, and the way into the draft.
import { ApiProblem } from "../../../kit/api";
import { askJson } from "../../asking";
import type { SiteMapDocument } from "../../map/site_map";
import { coverageOf, type Coverage, type CoverageAnswer } from "./coverage_answer";
import { withAnchorsOf } from "./what_if";

const WAIT_MS = 250;
const BUSY_MS = 1_000;
const TIMES_MAX = 5;
export const KINDS = ["range", "rssi"] as const;
export type Kind = (typeof KINDS)[number];

export class CoverageTrial {
  document = $state.raw<SiteMapDocument>({ type: "FeatureCollection", inaisle: { version: 1, crs: "local", site: "", name: "", floors: [] }, features: [] });
  floor = $state(0);
  kind = $state<Kind | null>(null);
  coverage = $state.raw<Coverage | null>(null);
  answer = $state.raw<CoverageAnswer | null>(null);
  isComputing = $state(false);
  problem = $state.raw<unknown>(null);
  private inForce: SiteMapDocument | null = null;
  private timer = 0;
  private asked = 0;

  /** Whether anything differs from the map in force. */
  get isChanged(): boolean {
    return this.inForce !== null && this.document !== this.inForce;
  }

  open(document: SiteMapDocument, floor: number): void {
    [this.inForce, this.document, this.floor] = [document, document, floor];
    this.soon(0);
  }

  /** Try another document; computed when nothing has changed for a moment. */
  attempt(document: SiteMapDocument): void {
    this.document = document;
    this.soon(WAIT_MS);
  }

  choose(floor: number, kind: Kind | null): void {
    [this.floor, this.kind] = [floor, kind];
    this.soon(0);
  }

  /** Back to the map in force. */
  reset(): void {
    if (this.inForce !== null) this.attempt(this.inForce);
  }

  /** Put the anchors as tried into the draft of the floor studio. */
  async intoDraft(): Promise<void> {
    const draft = await askJson<{ version: number; document: SiteMapDocument; backgrounds: readonly object[] }>("GET", "/v1/operator/site-map/draft");
    const body = { version: draft.version, document: withAnchorsOf(draft.document, this.document), backgrounds: draft.backgrounds };
    await askJson("PUT", "/v1/operator/site-map/draft", body);
  }

  close(): void {
    clearTimeout(this.timer);
    this.asked++;
  }

  private soon(wait_ms: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.compute(), wait_ms);
  }

  private async compute(times = 0): Promise<void> {
    const number = ++this.asked;
    this.isComputing = true;
    const body = { floor: this.floor, cell_m: 0.5, best: true, ...(this.kind === null ? {} : { kind: this.kind }), ...(this.isChanged ? { document: this.document } : {}) };
    try {
      const answer = await askJson<CoverageAnswer>("POST", "/v1/operator/coverage", body);
      if (number !== this.asked) return; // overtaken by a newer trial
      [this.answer, this.coverage, this.problem] = [answer, coverageOf(answer), null];
    } catch (problem) {
      if (number !== this.asked) return;
      if (problem instanceof ApiProblem && problem.status === 503 && times < TIMES_MAX) {
        this.timer = window.setTimeout(() => void this.compute(times + 1), BUSY_MS);
        return;
      }
      this.problem = problem;
    }
    this.isComputing = false;
  }
}
