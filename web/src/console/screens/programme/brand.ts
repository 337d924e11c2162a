// Look after the retailer's own look: can its colour be read, is its logo small enough.
// Takes: colours and files as chosen. Gives: the contrast as WCAG counts it, the logo as the API takes it.

export const CONTRAST_MIN = 4.5;
export const LOGO_BYTES_MAX = 24 * 1024;

export interface Brand {
  name: string;
  accent: string;
  logo_png?: string | null;
  sign_off?: { de?: string; en?: string };
}

/** The brand of a programme's document, where it has one. */
export function brandOf(document: unknown): Brand {
  const settings = (document as { settings?: { brand?: Partial<Brand> | null } } | null)?.settings;
  return { name: "", accent: "#1a1a1a", ...(settings?.brand ?? {}) };
}

/** The document with another brand; nothing else of it changes. */
export function withBrand(document: Record<string, unknown>, brand: Brand): Record<string, unknown> {
  const settings = (document["settings"] ?? {}) as Record<string, unknown>;
  return { ...document, settings: { ...settings, brand } };
}

/** Contrast of a colour #rrggbb to white (WCAG 2.2, 1.4.3); 0 where it is no colour. */
export function contrastToWhite(colour: string): number {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  if (found === null) return 0;
  const [red = 0, green = 0, blue = 0] = found.slice(1).map((part) => {
    const share = parseInt(part, 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05);
}

/** Bytes as base64. */
export function base64Of(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
