interface Order {
  total?: { amount: number };
  now: number;
}

/** The comment and the types above and here are gone from what runs: places are still those of this file. */
export function price<T extends Order>(order: T): { amount: number; at: Date } {
  const at: Date = new Date(order.now);
  return { amount: order.total!.amount, at };
}
