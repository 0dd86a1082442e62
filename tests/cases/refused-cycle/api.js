import { total } from "./a.js";

export default { fetch: () => new Response(`${total}`) };
