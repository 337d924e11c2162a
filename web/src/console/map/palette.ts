// Know the colours of the map: the page's own, from theme.css, so that light and dark agree with it.
// Takes: the root element. Gives: colours for styles and canvases, which cannot read CSS by themselves.

export interface Palette {
  isDark: boolean;
  ground: string;
  floor: string;
  line: string;
  ink: string;
  inkSoft: string;
  fixture: string;
  zone: string;
  zoneGround: string;
  chosen: string;
  anchor: string;
  person: string;
  bad: string;
  label: string;
}

/** Read the colours of now. */
export function paletteOf(root: Element = document.documentElement): Palette {
  const style = getComputedStyle(root);
  const of = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  const isDark = style.colorScheme === "dark";
  return {
    isDark,
    ground: of("--sunken", "#eceff1"),
    floor: of("--surface", "#ffffff"),
    line: of("--line", "#cfd6da"),
    ink: of("--ink", "#182026"),
    inkSoft: of("--ink-soft", "#55626b"),
    fixture: isDark ? "#3a464e" : "#d5dbdf",
    zone: of("--series-1", "#0b6b62"),
    zoneGround: isDark ? "rgb(79 196 180 / 12%)" : "rgb(11 107 98 / 9%)",
    chosen: of("--focus", "#1457d9"),
    anchor: of("--series-3", "#5b45b0"),
    person: of("--series-2", "#b4540a"),
    bad: of("--bad", "#ae1f2b"),
    label: of("--surface", "#ffffff"),
  };
}

/** Call back when the page turns light or dark. Returns what ends it. */
export function onPaletteChange(changed: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const watched = new MutationObserver(changed);
  watched.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  media.addEventListener("change", changed);
  return () => {
    watched.disconnect();
    media.removeEventListener("change", changed);
  };
}
