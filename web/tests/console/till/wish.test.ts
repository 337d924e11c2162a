// Wishes of the till: a coupon must be redeemed once, whatever the line does.
import { beforeEach, describe, expect, it } from "vitest";

import { fulfil, openWish, wishFor, type Wish } from "../../../src/console/screens/till/wish";
import { ApiProblem } from "../../../src/kit/api";

const OFFLINE = new ApiProblem({ status: 0, code: "unreachable", detail: "no line" });
const COMMIT = { kind: "commit", basket: "b-1" } as const;
const NO_PAUSE = (): Promise<void> => Promise.resolve();

/** A server that does a wish once for each key; the line fails as often as told, after the deed. */
function server(failures: number) {
  const done = new Map<string, string>();
  let left = failures;
  return {
    done,
    send: (wish: Wish): Promise<string> => {
      if (!done.has(wish.key)) done.set(wish.key, `purchase ${done.size + 1}`);
      return left-- > 0 ? Promise.reject(OFFLINE) : Promise.resolve(done.get(wish.key) ?? "");
    },
  };
}

beforeEach(() => localStorage.clear());

describe("fulfil", () => {
  it("repeats the same key until the answer is there, so the deed is done once", async () => {
    const { send, done } = server(3);
    const attempts: number[] = [];
    const wish = wishFor(COMMIT, "till-1", 0, localStorage);
    const answer = await fulfil(wish, localStorage, send, NO_PAUSE, (_, attempt) => attempts.push(attempt));
    expect(answer).toBe("purchase 1");
    expect(done.size).toBe(1);
    expect(attempts).toEqual([0, 1, 2]);
    expect(openWish("till-1", 0, localStorage)).toBeNull();
  });

  it("goes on with the same key when the page was loaded anew in between", async () => {
    const { send, done } = server(1);
    const wish = wishFor(COMMIT, "till-1", 0, localStorage);
    const gone = fulfil(wish, localStorage, send, () => Promise.reject(new Error("page left")), () => undefined);
    await expect(gone).rejects.toThrow("page left");
    const kept = openWish("till-1", 1_000, localStorage);
    expect(kept).toEqual(wish);
    await fulfil(kept as Wish, localStorage, send, NO_PAUSE, () => undefined);
    expect(done.size).toBe(1);
  });

  it("takes a refusal for an answer", async () => {
    const refusal = new ApiProblem({ status: 422, code: "refused", detail: "used" });
    const wish = wishFor(COMMIT, "till-1", 0, localStorage);
    await expect(
      fulfil(wish, localStorage, () => Promise.reject(refusal), NO_PAUSE, () => undefined),
    ).rejects.toBe(refusal);
    expect(openWish("till-1", 0, localStorage)).toBeNull();
  });

  it("keeps the wish where somebody has to sign in again first", async () => {
    const signedOut = new ApiProblem({ status: 401, code: "credential_invalid", detail: "over" });
    const wish = wishFor(COMMIT, "till-1", 0, localStorage);
    await expect(
      fulfil(wish, localStorage, () => Promise.reject(signedOut), NO_PAUSE, () => undefined),
    ).rejects.toBe(signedOut);
    expect(openWish("till-1", 0, localStorage)).toEqual(wish);
  });
});

describe("openWish", () => {
  it("leaves the wish of another till alone, and one of yesterday", () => {
    wishFor(COMMIT, "till-1", 0, localStorage);
    expect(openWish("till-2", 0, localStorage)).toBeNull();
    expect(openWish("till-1", 13 * 3_600_000, localStorage)).toBeNull();
  });
});
