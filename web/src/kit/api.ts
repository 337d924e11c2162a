// Call the API with types that come from its own document.
// Takes: a way to read the bearer token. Gives: a client whose calls return data or throw ApiProblem.
import createClient, { type Client, type Middleware } from "openapi-fetch";

import type { paths } from "./schema";

export type Api = Client<paths>;

/** One fault of a request body (RFC 9457, with the JSON pointer of RFC 6901). */
export interface ProblemFault {
  pointer?: string;
  detail: string;
}

/** What the server said in application/problem+json, or that it could not be reached. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly faults: readonly ProblemFault[];
  readonly retryAfterS: number | null;
  readonly body: unknown;

  constructor(given: {
    status: number;
    code: string;
    detail: string;
    faults?: readonly ProblemFault[];
    retryAfterS?: number | null;
    body?: unknown;
  }) {
    super(given.detail);
    this.name = "ApiProblem";
    this.status = given.status;
    this.code = given.code;
    this.faults = given.faults ?? [];
    this.retryAfterS = given.retryAfterS ?? null;
    this.body = given.body;
  }

  /** Whether the server was not reached at all. */
  get isOffline(): boolean {
    return this.status === 0;
  }
}

/** Read an answer that is no success. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const retryAfter = Number(response.headers.get("retry-after"));
  const given = {
    status: response.status,
    retryAfterS: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null,
  };
  try {
    const body: unknown = await response.json();
    const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const faults = Array.isArray(fields["errors"]) ? (fields["errors"] as ProblemFault[]) : [];
    return new ApiProblem({
      ...given,
      code: String(fields["code"] ?? "unknown"),
      detail: String(fields["detail"] ?? fields["title"] ?? response.statusText),
      faults,
      body,
    });
  } catch {
    return new ApiProblem({ ...given, code: "unknown", detail: response.statusText });
  }
}

/**
 * Make a client.
 *
 * @param token returns the bearer token of now, or null before signing in
 * @param onUnauthorised is called when the server no longer knows the token
 */
export function createApi(token: () => string | null, onUnauthorised: () => void): Api {
  const client = createClient<paths>({ fetch: reachable });
  const guard: Middleware = {
    onRequest({ request }) {
      const known = token();
      if (known !== null) request.headers.set("Authorization", `Bearer ${known}`);
      return request;
    },
    async onResponse({ response }) {
      if (response.ok) return undefined;
      const problem = await problemOf(response);
      if (problem.status === 401 && token() !== null) onUnauthorised();
      throw problem;
    },
  };
  client.use(guard);
  return client;
}

/** fetch, but whoever cannot be reached is a problem like any other. */
async function reachable(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiProblem({ status: 0, code: "unreachable", detail: String(error) });
  }
}

/** Return the data of a call; calls that fail have thrown before. */
export async function dataOf<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}

/** A new Idempotency-Key: the same for each repeat of one wish. */
export function newKey(): string {
  return crypto.randomUUID();
}
