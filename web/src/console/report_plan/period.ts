// Say which period a report is of.
// Takes: days, weekdays, hours and a floor that somebody chose. Gives: the query of the footfall routes.
// Days are those of the site's clocks, as texts (2026-03-02): no time zone of the browser comes in.

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface Period {
  /** the first day */
  from: string;
  /** the last day, which is in it */
  last: string;
}

export interface Choices {
  weekdays: readonly Weekday[];
  /** from this hour of the day … */
  fromHour: number;
  /** … until just before this one; 0 and 24 is the whole day */
  untilHour: number;
  floor: number | null;
}

export interface PeriodQuery {
  from: string;
  until: string;
  weekday?: Weekday[];
  hour?: number[];
  floor?: number;
}

export const ALL_DAY: Choices = { weekdays: [], fromHour: 0, untilHour: 24, floor: null };

/** The day so many days later. */
export function dayAfter(day: string, days: number): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(at)) return day;
  return new Date(at + days * 86_400_000).toISOString().slice(0, 10);
}

/** How many days a period has; 0 or less where it is upside down. */
export function daysOf(period: Period): number {
  return Math.round((Date.parse(period.last) - Date.parse(period.from)) / 86_400_000) + 1;
}

/** The days before today, as many as wanted. */
export function lastDays(today: string, days: number): Period {
  return { from: dayAfter(today, -days), last: dayAfter(today, -1) };
}

/** The period just before one, and as long: what it is compared with. */
export function periodBefore(period: Period): Period {
  const days = daysOf(period);
  return { from: dayAfter(period.from, -days), last: dayAfter(period.last, -days) };
}

/** The hours that are chosen; none where all are. */
export function hoursOf(choices: Pick<Choices, "fromHour" | "untilHour">): number[] {
  const { fromHour, untilHour } = choices;
  if (fromHour === 0 && untilHour === 24) return [];
  return Array.from({ length: Math.max(0, untilHour - fromHour) }, (_, place) => fromHour + place);
}

/** The query of a report; what is not restricted is left out. */
export function queryOf(period: Period, choices: Choices): PeriodQuery {
  const hours = hoursOf(choices);
  return {
    from: period.from,
    until: dayAfter(period.last, 1),
    ...(choices.weekdays.length > 0 && choices.weekdays.length < WEEKDAYS.length
      ? { weekday: WEEKDAYS.filter((day) => choices.weekdays.includes(day)) }
      : {}),
    ...(hours.length > 0 ? { hour: hours } : {}),
    ...(choices.floor === null ? {} : { floor: choices.floor }),
  };
}

/** What is wrong with a period, or nothing. */
export function periodFault(period: Period, today: string): "upside_down" | "future" | null {
  if (daysOf(period) < 1 || Number.isNaN(daysOf(period))) return "upside_down";
  return period.last >= today ? "future" : null;
}
