// Read a push. Takes: what the server encrypted. Gives: what the notification says.

export interface Pushed {
  offer: string | null;
  title: string;
  body: string;
  lang: string;
}

const TITLE_ONLY: Pushed = { offer: null, title: "Angebot · Offer", body: "", lang: "de" };

/** Read a payload; one that cannot be read still says something, as browsers ask of every push. */
export function pushedOf(text: string | undefined): Pushed {
  let read: unknown;
  try {
    read = JSON.parse(text ?? "");
  } catch {
    return TITLE_ONLY;
  }
  if (typeof read !== "object" || read === null) return TITLE_ONLY;
  const { offer, title, body, locale } = read as Record<string, unknown>;
  return {
    offer: typeof offer === "string" ? offer : null,
    title: typeof title === "string" ? title : TITLE_ONLY.title,
    body: typeof body === "string" ? body : "",
    lang: typeof locale === "string" ? locale : TITLE_ONLY.lang,
  };
}

/** Where a click on the notification leads. */
export function addressOf(offer: string | null): string {
  return offer === null ? "/card/#/offers" : `/card/#/offer/${encodeURIComponent(offer)}`;
}
