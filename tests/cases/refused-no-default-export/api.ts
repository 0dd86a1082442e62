export function fetch(): Response {
  return new Response("close");
}
