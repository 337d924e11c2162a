// Call a member or value of a document by its words, or by its name where there are none.
import { language } from "../../../kit/i18n.svelte";
import { MEMBER_WORDS } from "./members.words";

/** The words of a name in the language of now. */
export function said(name: string): string {
  const words: Readonly<Record<string, string>> = MEMBER_WORDS[language.current];
  return words[name] ?? name;
}
