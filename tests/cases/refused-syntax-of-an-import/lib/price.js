export const price = 3;
export const tax = price *;
