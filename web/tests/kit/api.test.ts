// Problems of the API: what the server says must reach the reader, whatever shape it has.
import { describe, expect, it } from "vitest";

import { problemOf } from "../../src/kit/api";

describe("problemOf", () => {
  it("keeps code, detail, faults and the time to wait", async () => {
    const body = { code: "too_many_failures", detail: "wait", errors: [{ pointer: "/name", detail: "too long" }] };
    const problem = await problemOf(
      new Response(JSON.stringify(body), { status: 429, headers: { "retry-after": "7" } }),
    );
    expect(problem).toMatchObject({ status: 429, code: "too_many_failures", retryAfterS: 7 });
    expect(problem.message).toBe("wait");
    expect(problem.faults[0]?.pointer).toBe("/name");
  });

  it("takes an answer that is no JSON for a problem, not for a crash", async () => {
    const problem = await problemOf(new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
    expect(problem).toMatchObject({ status: 502, code: "unknown", message: "Bad Gateway" });
  });
});
