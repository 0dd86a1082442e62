const made = ["once"];
export default (method: string): string => `${method} ${made.join()}`;
