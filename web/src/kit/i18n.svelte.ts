// Say things in German or English.
// Takes: dictionaries of the screens. Gives: `t` for texts, `language` for Intl.

export type Language = "de" | "en";
export type Words = Record<string, string>;
export interface Dictionary<W extends Words = Words> {
  de: W;
  en: { [K in keyof W]: string };
}
export type Values = Record<string, string | number>;

const STORED = "inaisle.language";

function first(): Language {
  const stored = globalThis.localStorage?.getItem(STORED);
  if (stored === "de" || stored === "en") return stored;
  return globalThis.navigator?.language.toLowerCase().startsWith("de") ? "de" : "en";
}

class LanguageState {
  current = $state<Language>(first());

  choose(language: Language): void {
    this.current = language;
    globalThis.localStorage?.setItem(STORED, language);
    document.documentElement.lang = language;
  }
}

export const language = new LanguageState();

/**
 * Return a function that says the words of one dictionary in the language of now.
 *
 * `{name}` in a text is replaced by the value of that name. A dictionary whose languages have
 * different keys does not compile.
 */
export function wordsOf<W extends Words>(
  dictionary: Dictionary<W>,
): (key: keyof W & string, values?: Values) => string {
  return (key, values) => fill(dictionary[language.current][key] as string, values ?? {});
}

/** Put values into a text. */
export function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Take what the server says in several languages. */
export function spoken(texts: Partial<Record<Language, string>> | null | undefined): string {
  if (!texts) return "";
  return texts[language.current] ?? texts.de ?? texts.en ?? "";
}
