// Do not wait for ever. Takes: a promise and a time. Gives: its value, or that it came too late.

const OUT_OF_TIME = Symbol("out of time");
export type OutOfTime = typeof OUT_OF_TIME;

/** Return what comes first: the value, or that the time is over. A refusal is passed on. */
export async function withinMs<T>(promise: Promise<T>, ms: number): Promise<T | OutOfTime> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<OutOfTime>((resolve) => {
    timer = setTimeout(() => resolve(OUT_OF_TIME), ms);
  });
  promise.catch(() => undefined); // one that fails after its time has nobody who listens
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the time was over first. */
export function isOutOfTime(value: unknown): value is OutOfTime {
  return value === OUT_OF_TIME;
}

/** Read base64url, as keys of push services are written (RFC 4648, 5). */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}
