// Ask the server for what the typed client does not know: files, pictures, binary frames.
// Takes: method, path, body. Gives: the response, or ApiProblem as the client throws it.
import { ApiProblem, problemOf } from "../kit/api";
import { session } from "./session.svelte";

/** Ask, with the token of who is signed in. */
export async function ask(method: string, path: string, body?: BodyInit, contentType?: string): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${session.token ?? ""}` };
  if (contentType !== undefined) headers["Content-Type"] = contentType;
  let response: Response;
  try {
    response = await fetch(path, { method, headers, ...(body === undefined ? {} : { body }) });
  } catch (error) {
    throw new ApiProblem({ status: 0, code: "unreachable", detail: String(error) });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Ask with a JSON body for a JSON answer. */
export async function askJson<T>(method: string, path: string, body?: object): Promise<T> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await ask(method, path, text, text === undefined ? undefined : "application/json");
  return (response.status === 204 ? undefined : await response.json()) as T;
}
