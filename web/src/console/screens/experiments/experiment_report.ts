// Read the report of an experiment.
// Takes: what the API says. Gives: whiskers of lifts in the unit of the metric; an end that is open (null)
// stays open, since too few shoppers leave everything possible.
import type { components } from "../../../kit/schema";
import type { Whisker } from "../../charts/interval";

export type ExperimentReport = components["schemas"]["ExperimentReportBody"];
export type Lift = ExperimentReport["lifts"][number];

export interface LiftRow extends Whisker {
  kind: "sequential" | "fixed";
  arm: string;
}

/** Whether a metric is money in minor units. */
export function isMoney(metric: string): boolean {
  return metric.endsWith("-minor");
}

/** What each arm brought as a whole, by the interval that holds for any number of looks. */
export function wholeLifts(report: ExperimentReport): readonly Whisker[] {
  return report.lifts.map((lift) => ({
    name: lift.arm,
    value: lift.whole,
    low: lift.whole_interval.low,
    high: lift.whole_interval.high,
  }));
}

/** What each arm brought per shopper, by both intervals. */
export function liftRows(report: ExperimentReport, names: { sequential: string; fixed: string }): readonly LiftRow[] {
  return report.lifts.flatMap((lift) =>
    (["sequential", "fixed"] as const).map((kind) => ({
      kind,
      arm: lift.arm,
      name: `${lift.arm}, ${names[kind]}`,
      value: lift.per_shopper,
      low: lift[kind].low,
      high: lift[kind].high,
    })),
  );
}

/** How loud an advice is: it may need somebody to act, or tell of a success. */
export function toneOf(advice: ExperimentReport["advice"]): "bad" | "good" | "plain" {
  if (advice === "repair_split" || advice === "stop") return "bad";
  return advice === "better" ? "good" : "plain";
}

/** Eight random signs, for a draw that nobody could have foreseen. */
export function newSalt(): string {
  return [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
