// Write numbers, money and times as the reader is used to.
// Takes: numbers in the units of the API. Gives: texts in the language of now, by Intl.
import { language } from "./i18n.svelte";

const locale = (): string => (language.current === "de" ? "de-DE" : "en-GB");

/** Money in minor units, e.g. 200 and "EUR" as 2,00 €. */
export function money(minor: number, currency = "EUR"): string {
  const format = new Intl.NumberFormat(locale(), { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(minor / 10 ** digits);
}

/** A number with at most so many decimals. */
export function decimal(value: number, digits = 0): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

/** A share of one as per cent. */
export function percent(share: number, digits = 0): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: digits }).format(
    share,
  );
}

/** Seconds as 3:10 or 1:02:03. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Metres, to the centimetre below one metre. */
export function metres(value: number): string {
  return `${decimal(value, value < 1 ? 2 : 1)} m`;
}

/** An instant as date and time of day in the zone of the shop. */
export function instant(at: string | number | Date, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale(), {
    dateStyle: "medium",
    timeStyle: "short",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(at));
}

/** An instant as time of day. */
export function timeOfDay(at: string | number | Date, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale(), {
    timeStyle: "medium",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(at));
}

/** A calendar day. */
export function day(at: string | number | Date, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale(), {
    dateStyle: "medium",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(at));
}
