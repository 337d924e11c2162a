// Keep what all reports share while somebody goes from one to the next: the plan, the period, the choices.
// Takes: the API. Gives: the plan once, a period that begins with the last seven days.
import { dataOf } from "../../kit/api";
import { Loading } from "../../kit/loading.svelte";
import { ALL_DAY, lastDays, type Choices, type Period } from "../report_plan/period";
import { session } from "../session.svelte";

const DAYS_FIRST_SHOWN = 7;

class Reporting {
  readonly plan = new Loading(() => dataOf(session.api.GET("/v1/operator/footfall/plan")));
  period = $state.raw<Period | null>(null);
  choices = $state.raw<Choices>(ALL_DAY);

  /** Load the plan anew and begin with the last days, where no period has been chosen. */
  async begin(): Promise<void> {
    await this.plan.load();
    const today = this.plan.data?.today;
    if (today !== undefined) this.period ??= lastDays(today, DAYS_FIRST_SHOWN);
  }

  /** The floor that is shown: the chosen one, else the first. */
  get floor(): number {
    return this.choices.floor ?? this.plan.data?.floors[0]?.floor ?? 0;
  }
}

export const reporting = new Reporting();
