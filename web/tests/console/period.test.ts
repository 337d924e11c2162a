// The period of a report: days of the site, hours, and what it is compared with.
import { describe, expect, it } from "vitest";

import { ALL_DAY, dayAfter, hoursOf, lastDays, periodBefore, periodFault, queryOf } from "../../src/console/report_plan/period";

describe("the period of a report", () => {
  it("ends before the day after its last one, as the routes count", () => {
    expect(queryOf({ from: "2026-03-02", last: "2026-03-02" }, ALL_DAY)).toEqual({ from: "2026-03-02", until: "2026-03-03" });
  });

  it("names weekdays in their order and hours one by one, and leaves out what is not restricted", () => {
    const query = queryOf({ from: "2026-03-02", last: "2026-03-08" }, { weekdays: ["sat", "mon"], fromHour: 9, untilHour: 11, floor: 0 });
    expect(query).toEqual({ from: "2026-03-02", until: "2026-03-09", weekday: ["mon", "sat"], hour: [9, 10], floor: 0 });
    expect(hoursOf({ fromHour: 0, untilHour: 24 })).toEqual([]);
  });

  it("is compared with as many days just before it, also over the end of a month and of summer time", () => {
    expect(periodBefore({ from: "2026-03-01", last: "2026-03-07" })).toEqual({ from: "2026-02-22", last: "2026-02-28" });
    expect(dayAfter("2026-10-24", 2)).toBe("2026-10-26");
  });

  it("is of days that are over", () => {
    expect(lastDays("2026-03-04", 7)).toEqual({ from: "2026-02-25", last: "2026-03-03" });
    expect(periodFault({ from: "2026-03-03", last: "2026-03-04" }, "2026-03-04")).toBe("future");
    expect(periodFault({ from: "2026-03-03", last: "2026-03-02" }, "2026-03-04")).toBe("upside_down");
    expect(periodFault({ from: "2026-03-03", last: "2026-03-03" }, "2026-03-04")).toBeNull();
  });
});
