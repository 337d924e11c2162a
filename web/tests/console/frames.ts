// Write frames of the live wire for tests, as docs/live_wire.md says; the page only ever reads them.

export interface Written {
  kind?: number;
  version?: number;
  floor?: number;
  roster?: number;
  at_ms?: number;
  m_per_step?: number;
  count: number;
  body: Uint8Array;
}

export function frameOf(given: Written): ArrayBuffer {
  const bytes = new ArrayBuffer(24 + given.body.length);
  const view = new DataView(bytes);
  view.setUint8(0, given.kind ?? 1);
  view.setUint8(1, given.version ?? 1);
  view.setInt16(2, given.floor ?? 0, true);
  view.setUint32(4, given.roster ?? 1, true);
  view.setUint32(8, given.count, true);
  view.setFloat64(12, given.at_ms ?? 1_000, true);
  view.setFloat32(20, given.m_per_step ?? 0.01, true);
  new Uint8Array(bytes, 24).set(given.body);
  return bytes;
}

export function rosterFrame(refs: readonly string[], roster = 1, at_ms = 0): ArrayBuffer {
  const body = new TextEncoder().encode(JSON.stringify({ refs }));
  return frameOf({ kind: 2, roster, at_ms, count: refs.length, body });
}

/** Places in metres; null is not here. */
export function positionsFrame(places: readonly (readonly [number, number] | null)[], at_ms: number, roster = 1): ArrayBuffer {
  const steps = (axis: 0 | 1): number[] => places.map((place) => (place === null ? 65_535 : Math.round(place[axis] * 100)));
  const body = new Uint8Array(new Uint16Array([...steps(0), ...steps(1)]).buffer);
  return frameOf({ kind: 1, roster, at_ms, count: places.length, body });
}

export function qualityFrame(radius_dm: readonly number[], age_ds: readonly number[], at_ms: number, roster = 1): ArrayBuffer {
  return frameOf({ kind: 3, roster, at_ms, count: radius_dm.length, body: Uint8Array.from([...radius_dm, ...age_ds]) });
}

export function packed(frames: readonly ArrayBuffer[]): ArrayBuffer {
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + 4 + frame.byteLength, 0));
  let at = 0;
  for (const frame of frames) {
    new DataView(bytes.buffer).setUint32(at, frame.byteLength, true);
    bytes.set(new Uint8Array(frame), at + 4);
    at += 4 + frame.byteLength;
  }
  return bytes.buffer;
}

/** The same numbers in each run (a linear congruential generator). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
