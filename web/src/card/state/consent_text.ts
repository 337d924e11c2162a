// Read what the permissions say. Takes: the language. Gives: the newest text, or that of a version.
import { dataOf } from "../../kit/api";
import { language } from "../../kit/i18n.svelte";
import type { ConsentText, Purpose } from "../api_types";
import { session } from "./session.svelte";

export const PURPOSES: readonly Purpose[] = ["locate", "personalise", "notify", "analytics"];

/** Return the text that is to be shown now. */
export async function loadConsentText(): Promise<ConsentText> {
  const query = { params: { query: { locale: language.current } } };
  return dataOf(session.api.GET("/v1/consent-text", query));
}

/** Return what the text says of one purpose; the title may be missing in an older form. */
export function paragraphOf(
  text: ConsentText,
  purpose: Purpose,
): { title: string | null; text: string } {
  const found = text.paragraphs.find((one) => one.purpose === purpose);
  return { title: found?.title ?? null, text: found?.text ?? "" };
}
