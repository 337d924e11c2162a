// Write a linear code (Code 128, ISO/IEC 15417) for scanners that read no QR.
// Takes: digits or plain ASCII. Gives: widths of bars and gaps by turns, beginning with a bar.

// Widths of the symbols 0 to 105, six digits each; 106, the stop, has seven.
const SYMBOLS =
  "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222" +
  "123122123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321" +
  "232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121" +
  "313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224" +
  "111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111" +
  "111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113" +
  "114311411113411311113141114131311141411131211412211214211232";
const STOP = "2331112";
const [TO_B, TO_C, START_B, START_C] = [100, 99, 104, 105];
const PAIRS_WORTH = 2; // pairs of digits that pay for the symbol that changes to set C

/** Return the numbers of the symbols, from start to check. */
export function symbolsOf(text: string): readonly number[] {
  if (!/^[\x20-\x7e]+$/.test(text)) {
    throw new Error(`the text of a linear code has other characters than ASCII: ${text.length}`);
  }
  const found: number[] = [];
  let [set, at]: ["B" | "C" | null, number] = [null, 0];
  while (at < text.length) {
    const digits = /^\d*/.exec(text.slice(at))?.[0].length ?? 0;
    const pairs = Math.floor(digits / 2);
    const wanted: "B" | "C" = pairs >= (set === "C" ? 1 : PAIRS_WORTH) ? "C" : "B";
    if (wanted !== set) {
      if (set === null) found.push(wanted === "C" ? START_C : START_B);
      else found.push(wanted === "C" ? TO_C : TO_B);
      set = wanted;
    }
    if (set === "C") {
      found.push(Number(text.slice(at, at + 2)));
      at += 2;
    } else {
      found.push(text.charCodeAt(at) - 32);
      at += 1;
    }
  }
  const sum = found.reduce((total, symbol, index) => total + symbol * Math.max(1, index), 0);
  return [...found, sum % 103];
}

/** Return the widths of bar, gap, bar, … of a text, without the quiet zones. */
export function widthsOf(text: string): readonly number[] {
  const symbols = symbolsOf(text).map((symbol) => SYMBOLS.slice(symbol * 6, symbol * 6 + 6));
  return [...symbols, STOP].join("").split("").map(Number);
}

export interface Bar {
  x: number;
  width: number;
}

/** Return the dark bars and the whole width in modules, with a quiet zone on either side. */
export function barsOf(text: string, quiet = 10): { bars: readonly Bar[]; width: number } {
  const bars: Bar[] = [];
  let x = quiet;
  for (const [index, width] of widthsOf(text).entries()) {
    if (index % 2 === 0) bars.push({ x, width });
    x += width;
  }
  return { bars, width: x + quiet };
}
