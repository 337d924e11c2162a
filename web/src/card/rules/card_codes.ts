// Choose which code of the card is shown. Takes: codes ahead and our time. Gives: the code of now.
import type { Codes } from "../api_types";

export type Form = "qr" | "digits";
export interface ShownCode {
  code: string;
  /** of the server's clock */
  untilMs: number;
}

/** Return the code of the half minute that the server's clock shows; null where none is held. */
export function codeAt(codes: Codes | null, form: Form, serverNowMs: number): ShownCode | null {
  if (codes === null) return null;
  const begins = Date.parse(codes.begins_at);
  const step = Math.floor((serverNowMs - begins) / codes.step_ms);
  const code = step < 0 ? undefined : codes[form][step];
  return code === undefined ? null : { code, untilMs: begins + (step + 1) * codes.step_ms };
}

/** Whether new ones are to be fetched: from half of them on, or when the clock has left them. */
export function isToBeFetched(codes: Codes | null, serverNowMs: number): boolean {
  if (codes === null) return true;
  const [begins, ends] = [Date.parse(codes.begins_at), Date.parse(codes.ends_at)];
  return serverNowMs < begins || serverNowMs > (begins + ends) / 2;
}

/** What is to be added to the phone's clock to get the server's. */
export function skewOf(serverNow: string, phoneNowMs: number): number {
  const skew = Date.parse(serverNow) - phoneNowMs;
  return Number.isFinite(skew) ? skew : 0;
}

/** A long code in groups, as people read it out. */
export function grouped(code: string, size = 4): string {
  return code.replace(new RegExp(`(.{${size}})(?=.)`, "g"), "$1 ");
}
