// The crowd between two frames, its trails, and the reel that plays it again.
import { describe, expect, it } from "vitest";

import { Crowd } from "../../src/console/screens/live/crowd";
import { fadeOf } from "../../src/console/screens/live/crowd_paint";
import { Reel } from "../../src/console/screens/live/reel";
import { decodeFrame } from "../../src/console/screens/live/wire";
import { packed, positionsFrame, qualityFrame, rosterFrame } from "./frames";

function crowdOf(...frames: ArrayBuffer[]): Crowd {
  const crowd = new Crowd();
  for (const frame of frames) crowd.take(decodeFrame(frame));
  return crowd;
}

describe("Crowd", () => {
  it("moves a dot evenly from one frame to the next", () => {
    const crowd = crowdOf(rosterFrame(["a"]), positionsFrame([[0, 0]], 1_000), positionsFrame([[4, 2]], 1_200));
    expect([crowd.xAt(0, 0), crowd.xAt(0, 0.5), crowd.yAt(0, 1)]).toEqual([0, 2, 2]);
    expect(crowd.step_ms).toBe(200);
  });

  it("lets who comes in appear where they are, not slide in from a corner", () => {
    const crowd = crowdOf(rosterFrame(["a"]), positionsFrame([null], 1_000));
    expect(crowd.isHere(0)).toBe(false);
    crowd.take(decodeFrame(positionsFrame([[9, 9]], 1_200)));
    expect(crowd.xAt(0, 0)).toBe(9);
  });

  it("keeps people and their trails when the roster changes its order", () => {
    const crowd = crowdOf(rosterFrame(["a", "b"]), positionsFrame([[1, 1], [5, 5]], 1_000), positionsFrame([[2, 1], [6, 5]], 1_500));
    crowd.take(decodeFrame(rosterFrame(["b", "c", "a"], 2)));
    expect([crowd.x[0], crowd.x[2]]).toEqual([6, 2]);
    expect(crowd.isHere(1)).toBe(false);
    expect([...crowd.trail(2)].map(([x]) => x)).toEqual([1]);
  });

  it("drops frames of a roster that it does not know, and counts them", () => {
    const crowd = crowdOf(rosterFrame(["a"]), positionsFrame([[1, 1]], 1_000, 9), positionsFrame([[1, 1], [2, 2]], 1_000));
    expect([crowd.strangers, crowd.isHere(0)]).toEqual([2, false]);
  });

  it("fades who has not been heard, also while nothing comes at all", () => {
    const crowd = crowdOf(rosterFrame(["a"]), positionsFrame([[1, 1]], 1_000), qualityFrame([8], [10], 1_000));
    expect([crowd.radius_m(0), crowd.ageAt(0, 1_000), crowd.ageAt(0, 21_000)]).toEqual([0.8, 1_000, 21_000]);
    expect([0, 2_000, 6_000, 60_000].map(fadeOf)).toEqual([0, 1, 2, 3]);
  });

  it("picks the nearest within reach, and nobody beyond it", () => {
    const crowd = crowdOf(rosterFrame(["a", "b", "c"]), positionsFrame([[1, 1], [2, 1], null], 1_000));
    expect([crowd.nearest(1.8, 1, 0.5, 1), crowd.nearest(9, 9, 0.5, 1)]).toEqual([1, -1]);
  });
});

describe("Reel", () => {
  const reel = (): Reel => new Reel(0, 10_000, packed([rosterFrame(["a"]), ...[0, 1, 2, 3].map((s) => positionsFrame([[s, 0]], s * 1_000))]));

  it("shows any time, forwards and backwards", () => {
    const [played, crowd] = [reel(), new Crowd()];
    for (const at_ms of [0, 500, 1_250, 2_999, 300, 9_000, 1_500]) {
      const share = played.show(crowd, at_ms);
      expect(crowd.xAt(0, share)).toBeCloseTo(Math.min(at_ms / 1_000, 3), 5);
    }
  });

  it("knows an empty recording", () => {
    expect(new Reel(0, 1, new ArrayBuffer(0)).isEmpty).toBe(true);
    expect(reel().isEmpty).toBe(false);
  });
});
