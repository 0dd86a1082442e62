// An order, as the shop's functions in TypeScript know it; `order/` is the same for those in Rust.

export interface Order {
  id: string;
  product: string;
  quantity: number;
  cents: number;
  status: string;
}

/** The order that a value of the store holds, if it holds one. */
export function parseOrder(value: string | Uint8Array | null | undefined): Order | null {
  if (typeof value !== "string") return null;
  try {
    const { id, product, quantity, cents, status } = JSON.parse(value);
    const isOrder = [id, product, status].every((text) => typeof text === "string") && [quantity, cents].every(Number.isInteger);
    return isOrder ? { id, product, quantity, cents, status } : null;
  } catch {
    return null;
  }
}
