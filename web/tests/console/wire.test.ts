// The live wire: a damaged frame is a fault with a name, never a wrong dot on the map.
import { describe, expect, it } from "vitest";

import { cutFrames, decodeFrame, NOT_HERE, WireFault } from "../../src/console/screens/live/wire";
import { frameOf, packed, positionsFrame, qualityFrame, rosterFrame, seeded } from "./frames";

describe("decodeFrame", () => {
  it("reads back positions to the centimetre, and who is not here", () => {
    const frame = decodeFrame(positionsFrame([[12.34, 5.67], null], 42));
    if (frame.kind !== "positions") throw new Error(frame.kind);
    expect([frame.x[0], frame.y[0], frame.x[1], frame.at_ms]).toEqual([1234, 567, NOT_HERE, 42]);
    expect(frame.m_per_step).toBeCloseTo(0.01);
  });

  it("reads names as plain text, whatever stands in them", () => {
    const frame = decodeFrame(rosterFrame(["<img onerror=alert(1)>", "ä"]));
    expect(frame.kind === "roster" && frame.refs).toEqual(["<img onerror=alert(1)>", "ä"]);
  });

  it("reads radius and age", () => {
    const frame = decodeFrame(qualityFrame([8, 12], [3, 255], 42));
    expect(frame.kind === "quality" && [...frame.radius_dm, ...frame.age_ds]).toEqual([8, 12, 3, 255]);
  });

  it.each([
    ["too short", new ArrayBuffer(23)],
    ["of another version", frameOf({ version: 2, count: 0, body: new Uint8Array() })],
    ["of an unknown kind", frameOf({ kind: 9, count: 0, body: new Uint8Array() })],
    ["of more people than it has", frameOf({ count: 3, body: new Uint8Array(8) })],
    ["of more people than there are", frameOf({ count: 4e9, body: new Uint8Array(8) })],
    ["without a time", frameOf({ count: 0, at_ms: Number.NaN, body: new Uint8Array() })],
    ["with steps of no length", frameOf({ count: 0, m_per_step: 0, body: new Uint8Array() })],
    ["with a roster that is no JSON", frameOf({ kind: 2, count: 1, body: new Uint8Array([123]) })],
    ["with a roster of other length", frameOf({ kind: 2, count: 2, body: new TextEncoder().encode('{"refs":["a"]}') })],
  ])("refuses a frame %s", (_, bytes) => {
    expect(() => decodeFrame(bytes)).toThrow(WireFault);
  });

  it("answers any bytes with a frame that fits them or a fault", () => {
    const random = seeded(6);
    for (let run = 0; run < 2_000; run++) {
      const good = positionsFrame([[1, 2], [3, 4], null], run);
      const bytes = new Uint8Array(good.slice(0, Math.floor(random() * (good.byteLength + 1))));
      for (let flip = 0; flip < 3 && bytes.length > 0; flip++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        const frame = decodeFrame(bytes.buffer);
        if (frame.kind === "positions") expect(frame.x.length).toBe(frame.count);
      } catch (error) {
        expect(error).toBeInstanceOf(WireFault);
      }
    }
  });
});

describe("cutFrames", () => {
  it("cuts a playback where its lengths say, and refuses one that ends too early", () => {
    const bytes = packed([rosterFrame(["a"]), positionsFrame([[1, 1]], 5)]);
    expect(cutFrames(bytes).map((cut) => decodeFrame(cut).kind)).toEqual(["roster", "positions"]);
    for (const missing of [1, 30]) expect(() => cutFrames(bytes.slice(0, bytes.byteLength - missing))).toThrow(WireFault);
    expect(() => cutFrames(new ArrayBuffer(3))).toThrow(WireFault);
    expect(cutFrames(new ArrayBuffer(0))).toEqual([]);
  });
});
