// An ES module of the test beside.
export const answer = 42;
