// Compare two funnels step by step.
// Takes: funnels as getKpis tells them. Gives: rows; what is withheld in one of them gives no share and no
// change, and is never taken for nought.
import type { components } from "../../../kit/schema";

export type Kpis = components["schemas"]["KpisBody"];
export type FunnelBody = Kpis["funnel"];
export type Step = FunnelBody["steps"][number]["step"];
export type Withheld = NonNullable<FunnelBody["steps"][number]["withheld"]>;

export interface StepRow {
  step: Step;
  count: number | null;
  withheld: Withheld | null;
  shareOfBefore: number | null;
  shareOfFirst: number | null;
  /** the same step in the period before */
  before: number | null;
  /** count / before - 1 */
  change: number | null;
}

/** The funnel of a zone, or of all (null); undefined where there is none. */
export function funnelOf(kpis: Kpis | null, zone: string | null): FunnelBody | undefined {
  return zone === null ? kpis?.funnel : kpis?.zones.find((one) => one.zone === zone);
}

/** The rows of a funnel beside the one of the period before. */
export function stepRows(now: FunnelBody, before: FunnelBody | undefined): readonly StepRow[] {
  const first = now.steps[0]?.count ?? null;
  return now.steps.map((step) => {
    const earlier = before?.steps.find((one) => one.step === step.step)?.count ?? null;
    return {
      step: step.step,
      count: step.count,
      withheld: step.withheld,
      shareOfBefore: step.share_of_step_before,
      shareOfFirst: ratio(step.count, first),
      before: earlier,
      change: changeOf(step.count, earlier),
    };
  });
}

/** How much more or less, as a share of what was; null where one is not told or nothing was. */
export function changeOf(now: number | null, before: number | null): number | null {
  const part = ratio(now, before);
  return part === null ? null : part - 1;
}

function ratio(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole === 0 ? null : part / whole;
}
