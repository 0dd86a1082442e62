export interface Price { price: number }
export type Prices = Price[];
