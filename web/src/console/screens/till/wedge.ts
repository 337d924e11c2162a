// Hear a scanner that types like a keyboard while no field is in focus.
// Takes: keys with the time of each. Gives: the code when the scanner has pressed Enter.
// A scanner types faster than any hand; what comes slower begins anew.

const BETWEEN_KEYS_MS_MAX = 60;
const CHARACTERS_MIN = 4;
const CHARACTERS_MAX = 1_000;
const GROUP_SEPARATOR = "\u001d";

export interface Heard {
  text: string;
  at_ms: number;
}

export const SILENCE: Heard = { text: "", at_ms: 0 };

/** Take one key; the code is there when Enter has ended one. */
export function hear(heard: Heard, key: string, at_ms: number): { heard: Heard; code: string | null } {
  const text = at_ms - heard.at_ms <= BETWEEN_KEYS_MS_MAX ? heard.text : "";
  if (key === "Enter") {
    return { heard: SILENCE, code: text.length >= CHARACTERS_MIN ? text : null };
  }
  const typed = key === "F8" ? GROUP_SEPARATOR : key; // many scanners send FNC1 as F8
  if (typed.length !== 1 || text.length >= CHARACTERS_MAX) {
    // shift and other keys without a character belong to the next one
    return { heard: key.length > 1 ? { text, at_ms } : SILENCE, code: null };
  }
  return { heard: { text: text + typed, at_ms }, code: null };
}
