// What handlers of the benchmark compute: the same functions wherever they run.
import { importJWK, jwtVerify } from "jose";
import { marked } from "marked";

/** Orders in, a bill for each customer out. */
export function bills(text) {
  const { orders } = JSON.parse(text);
  const customers = new Map();
  for (const { customer, lines, paid } of orders) {
    const sum = lines.reduce((sum, { price, count }) => sum + price * count, 0);
    const bill = customers.get(customer) ?? { customer, orders: 0, sum: 0, open: 0, items: {} };
    bill.orders += 1;
    bill.sum += sum;
    if (!paid) bill.open += sum;
    for (const { item, count } of lines) bill.items[item] = (bill.items[item] ?? 0) + count;
    customers.set(customer, bill);
  }
  return JSON.stringify([...customers.values()].sort((a, b) => b.open - a.open));
}

export function page(text) {
  return marked.parse(text);
}

const secret = new TextEncoder().encode("a secret of thirty-two bytes, it is");
const published = {
  kty: "EC", crv: "P-256",
  x: "41SBB-AN6f3EtAFLPcdakrwhD4s_3Qxy55KCfi-dNi4",
  y: "vbU1NOvfHfIeV3u8odIKS1nekW19NCYHs1B6CStmzYM",
};

/** Who a token is for. Keys are imported for each, as by handlers that fetch them. */
export async function subject(token) {
  const header = JSON.parse(atob(token.slice(0, token.indexOf(".")).replaceAll("-", "+").replaceAll("_", "/")));
  const key = header.alg === "HS256" ? secret : await importJWK(published, "ES256");
  const { payload } = await jwtVerify(token, key, { issuer: "https://id.example", algorithms: ["HS256", "ES256"] });
  return payload.sub;
}
