// Turn instants into what the clocks of the site show, and back.
// Takes: instants (RFC 3339) and the site's time zone. Gives: texts of a datetime-local field. The
// browser's own zone plays no part: a campaign begins when the shop opens, wherever it is written.

/** How far the zone's clocks are ahead of UTC at an instant, in minutes. */
export function offsetMinutes(atMs: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).formatToParts(atMs);
  const number = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(number("year"), number("month") - 1, number("day"), number("hour"), number("minute"), number("second"));
  return Math.round((shown - Math.floor(atMs / 1000) * 1000) / 60_000);
}

/** What a datetime-local field shows of an instant: 2026-12-01T00:00. */
export function localOf(instant: string, timeZone: string): string {
  const atMs = Date.parse(instant);
  if (Number.isNaN(atMs)) return "";
  return new Date(atMs + offsetMinutes(atMs, timeZone) * 60_000).toISOString().slice(0, 16);
}

/** The instant that a datetime-local field means; an hour that the spring leaves out is the next one. */
export function instantOf(local: string, timeZone: string): string {
  const asUtcMs = Date.parse(`${local}Z`);
  if (Number.isNaN(asUtcMs)) return "";
  const before = asUtcMs - offsetMinutes(asUtcMs, timeZone) * 60_000;
  const atMs = asUtcMs - offsetMinutes(before, timeZone) * 60_000;
  return new Date(atMs).toISOString();
}
