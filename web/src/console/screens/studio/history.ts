// Remember states for undo and redo, at most a hundred of each.
// Takes: the state before each change. Gives: the state to go back or forward to.

export const STEPS_MAX = 100;

export interface History<T> {
  past: readonly T[];
  future: readonly T[];
}

export function noHistory<T>(): History<T> {
  return { past: [], future: [] };
}

/** After a change: what was before can come back, what was undone cannot. */
export function remembered<T>(history: History<T>, before: T): History<T> {
  return { past: [...history.past, before].slice(-STEPS_MAX), future: [] };
}

/** One step back; null where there is none. */
export function undone<T>(history: History<T>, now: T): { history: History<T>; state: T } | null {
  const state = history.past[history.past.length - 1];
  if (state === undefined) return null;
  return { state, history: { past: history.past.slice(0, -1), future: [now, ...history.future].slice(0, STEPS_MAX) } };
}

/** One step forward; null where there is none. */
export function redone<T>(history: History<T>, now: T): { history: History<T>; state: T } | null {
  const [state, ...future] = history.future;
  if (state === undefined) return null;
  return { state, history: { past: [...history.past, now].slice(-STEPS_MAX), future } };
}
