// Read the binary frames of the live map.
// Takes: bytes of the WebSocket or of a playback. Gives: frames with typed arrays, or WireFault for
// whatever is not one; a damaged frame is dropped and counted, never shown.

export const HEADER_BYTES = 24;
export const NOT_HERE = 65_535;
const VERSION = 1;
const COUNT_MAX = 200_000;
const KIND = { positions: 1, roster: 2, quality: 3 } as const;

interface Head {
  floor: number;
  roster: number;
  count: number;
  at_ms: number;
  m_per_step: number;
}
export interface PositionsFrame extends Head {
  kind: "positions";
  /** in steps of m_per_step; NOT_HERE for whom nothing is known now */
  x: Uint16Array;
  y: Uint16Array;
}
export interface RosterFrame extends Head {
  kind: "roster";
  refs: readonly string[];
}
export interface QualityFrame extends Head {
  kind: "quality";
  /** 68 % radius in decimetres */
  radius_dm: Uint8Array;
  /** tenths of seconds since the last reading; 255 is that or older */
  age_ds: Uint8Array;
}
export type Frame = PositionsFrame | RosterFrame | QualityFrame;

/** Bytes that are no frame: what is wrong, for the counter and the console. */
export class WireFault extends Error {
  override readonly name = "WireFault";
}

/** Read one frame. */
export function decodeFrame(bytes: ArrayBuffer): Frame {
  if (bytes.byteLength < HEADER_BYTES) throw new WireFault(`frame of ${bytes.byteLength} bytes; expected ${HEADER_BYTES} or more`);
  const view = new DataView(bytes);
  const [kind, version] = [view.getUint8(0), view.getUint8(1)];
  if (version !== VERSION) throw new WireFault(`frame of version ${version}; expected ${VERSION}. Load the page anew`);
  const head: Head = {
    floor: view.getInt16(2, true),
    roster: view.getUint32(4, true),
    count: view.getUint32(8, true),
    at_ms: view.getFloat64(12, true),
    m_per_step: view.getFloat32(20, true),
  };
  if (head.count > COUNT_MAX) throw new WireFault(`frame of ${head.count} people; expected at most ${COUNT_MAX}`);
  if (!Number.isFinite(head.at_ms) || !(head.m_per_step > 0 && head.m_per_step <= 10))
    throw new WireFault(`frame at ${head.at_ms} ms in steps of ${head.m_per_step} m; expected a time and up to 10 m`);
  if (kind === KIND.positions) return positions(head, bytes);
  if (kind === KIND.quality) return quality(head, bytes);
  if (kind === KIND.roster) return roster(head, bytes);
  throw new WireFault(`frame of kind ${kind}; expected 1, 2 or 3`);
}

function positions(head: Head, bytes: ArrayBuffer): PositionsFrame {
  expectLength(bytes, head.count * 4);
  const half = head.count * 2;
  return { kind: "positions", ...head, x: words(bytes, HEADER_BYTES, head.count), y: words(bytes, HEADER_BYTES + half, head.count) };
}

function quality(head: Head, bytes: ArrayBuffer): QualityFrame {
  expectLength(bytes, head.count * 2);
  return {
    kind: "quality",
    ...head,
    radius_dm: new Uint8Array(bytes, HEADER_BYTES, head.count),
    age_ds: new Uint8Array(bytes, HEADER_BYTES + head.count, head.count),
  };
}

function roster(head: Head, bytes: ArrayBuffer): RosterFrame {
  let refs: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes, HEADER_BYTES));
    refs = (JSON.parse(text) as { refs?: unknown }).refs;
  } catch (error) {
    throw new WireFault(`roster is no JSON (${String(error)})`);
  }
  if (!Array.isArray(refs) || refs.length !== head.count || !refs.every((ref) => typeof ref === "string"))
    throw new WireFault(`roster without ${head.count} names; expected one for each slot`);
  return { kind: "roster", ...head, refs: refs as string[] };
}

function expectLength(bytes: ArrayBuffer, body: number): void {
  if (bytes.byteLength !== HEADER_BYTES + body)
    throw new WireFault(`frame of ${bytes.byteLength} bytes; expected ${HEADER_BYTES + body} by its count`);
}

/** Little-endian 16-bit words; a view where the machine has that order, which all of today's have. */
function words(bytes: ArrayBuffer, from: number, count: number): Uint16Array {
  return new Uint16Array(bytes, from, count);
}

/** Cut a playback into its frames: each is preceded by its length (u32, little-endian). */
export function cutFrames(bytes: ArrayBuffer): readonly ArrayBuffer[] {
  const view = new DataView(bytes);
  const found: ArrayBuffer[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    if (at + 4 > bytes.byteLength) throw new WireFault("playback ends within a length");
    const length = view.getUint32(at, true);
    if (at + 4 + length > bytes.byteLength) throw new WireFault(`playback ends within a frame of ${length} bytes`);
    found.push(bytes.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}
