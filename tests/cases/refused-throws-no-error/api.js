throw { code: 7, toString() { throw new Error("not even this"); } };
