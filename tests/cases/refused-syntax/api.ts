interface Order { id: string }

export default {
  fetch(request: Request): Response {
    const order: Order = { id: "7" ;
    return Response.json(order);
  },
};
