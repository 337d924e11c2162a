// Colour amounts with one hue, from nothing to most, so that lightness alone tells them apart and
// people who see colours otherwise read the same map.
// Takes: whether the ground is dark. Gives: tables of 256 colours, and CSS for legends.

export interface Ramp {
  /** 256 × red, green, blue, opacity */
  bytes: Uint8ClampedArray;
  /** the same for a legend */
  css: string;
}

interface Ends {
  light: readonly [number, number];
  chroma: readonly [number, number];
  hue: number;
}
// Lightness, chroma and hue of OKLCH (Ottosson 2020), where equal steps look equal.
const HUES = { heat: 30, error: 285 } as const;
export type RampName = keyof typeof HUES;
const STEPS = 256;
const OPACITY = [0.28, 0.95] as const;

/** The ramp for a ground: more is darker on a light one, lighter on a dark one. */
export function rampOf(name: RampName, isDark: boolean): Ramp {
  const ends: Ends = {
    light: isDark ? [0.36, 0.92] : [0.95, 0.36],
    chroma: [0.05, 0.15],
    hue: (HUES[name] * Math.PI) / 180,
  };
  const bytes = new Uint8ClampedArray(STEPS * 4);
  for (let step = 0; step < STEPS; step++) {
    const share = step / (STEPS - 1);
    bytes.set([...colourAt(ends, share), 255 * between(OPACITY, share)], step * 4);
  }
  return { bytes, css: gradient(bytes) };
}

function between(ends: readonly [number, number], share: number): number {
  return ends[0] + (ends[1] - ends[0]) * share;
}

function colourAt(ends: Ends, share: number): [number, number, number] {
  const [light, chroma] = [between(ends.light, share), between(ends.chroma, share)];
  const [a, b] = [chroma * Math.cos(ends.hue), chroma * Math.sin(ends.hue)];
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

function encoded(linear: number): number {
  const value = Math.min(1, Math.max(0, linear));
  return 255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);
}

function gradient(bytes: Uint8ClampedArray): string {
  const stops = [0, 64, 128, 192, 255].map((step) => {
    const [red, green, blue, opacity] = bytes.subarray(step * 4, step * 4 + 4);
    return `rgb(${red} ${green} ${blue} / ${((opacity ?? 255) / 255).toFixed(2)})`;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
}
