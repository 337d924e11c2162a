// Do what moves value once, however often the line breaks, Enter is pressed or the page is loaded anew.
// Takes: a wish with its Idempotency-Key, a way to send it. Gives: the answer, or the refusal.
// A wish is written down before it is sent and forgotten only when its answer is there.
import { ApiProblem, newKey } from "../../../kit/api";
import type { components } from "../../../kit/schema";

type Schemas = components["schemas"];

/** What a till can wish for; the name of the wish decides its route. */
export type Deed =
  | { kind: "hold"; body: Schemas["BasketRequestBody"] }
  | { kind: "commit"; basket: string }
  | { kind: "cancel"; basket: string }
  | { kind: "return"; purchase: string; body: Schemas["ReturnWishBody"] }
  | { kind: "goodwill"; body: Schemas["GoodwillBody"] };

export interface Wish {
  key: string;
  /** who wished: nobody else repeats it with his own key */
  by: string;
  at_ms: number;
  deed: Deed;
}

const STORED = "inaisle.till.wish";
/** Answers are kept by the server for days; a shift later nobody knows any more what was meant. */
const KEPT_MS = 12 * 3_600_000;
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000] as const;

/** Write a wish down, with a key of its own. */
export function wishFor(deed: Deed, by: string, at_ms: number, storage: Storage): Wish {
  const wish: Wish = { key: newKey(), by, at_ms, deed };
  storage.setItem(STORED, JSON.stringify(wish));
  return wish;
}

/** The wish that had no answer when the page went away, if it is of the same caller. */
export function openWish(by: string, now_ms: number, storage: Storage): Wish | null {
  try {
    const wish = JSON.parse(storage.getItem(STORED) ?? "null") as Wish | null;
    if (wish === null || wish.by !== by || now_ms - wish.at_ms > KEPT_MS) return null;
    return wish;
  } catch {
    return null; // what stands there was not written by us
  }
}

/** Strike the wish: its answer is there. */
export function strike(wish: Wish, storage: Storage): void {
  const kept = storage.getItem(STORED);
  if (kept !== null && kept.includes(wish.key)) storage.removeItem(STORED);
}

/** Whether the answer says nothing about the wish, so that the same request has to go again. */
export function isOpen(problem: unknown): boolean {
  if (!(problem instanceof ApiProblem)) return true;
  return problem.isOffline || problem.status >= 500 || problem.code === "in_flight" || problem.status === 401;
}

/**
 * Send a wish until it has an answer.
 *
 * @param send sends the wish once
 * @param pause waits; its promise rejects where nobody waits any longer
 * @param onOpen hears of each attempt without an answer
 */
export async function fulfil<T>(
  wish: Wish,
  storage: Storage,
  send: (wish: Wish) => Promise<T>,
  pause: (ms: number) => Promise<void>,
  onOpen: (problem: unknown, attempt: number) => void,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await send(wish);
      strike(wish, storage);
      return answer;
    } catch (problem) {
      if (!isOpen(problem)) {
        strike(wish, storage);
        throw problem;
      }
      if (problem instanceof ApiProblem && problem.status === 401) throw problem; // after signing in again
      onOpen(problem, attempt);
      await pause(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)] ?? 8_000);
    }
  }
}
