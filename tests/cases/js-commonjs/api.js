// An ES module that imports one of CommonJS, whole and by name.
import all, { joined, count as counted } from "./all.cjs";

export default { fetch: () => Response.json({ ...all, named: [joined, counted] }) };
