// A JSON service on Node's `ws`: answers requests, echoes binary messages, pushes ticks. Prints its port once it
// listens, and what it did when its standard input ends. The tests say where `ws` is: WS_MODULE.
const { WebSocketServer } = await import(process.env.WS_MODULE);

const did = { said: 0, echoed: 0, ticks: 0 };
const feeds = new Set();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });

function feed(socket, room) {
  let n = 0;
  const timer = setInterval(() => {
    did.ticks += 1;
    socket.send(JSON.stringify({ op: "tick", room, n: n++, at: Date.now() }));
  }, 20);
  feeds.add(timer);
  socket.on("close", () => clearInterval(timer));
}

server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    if (isBinary) {
      did.echoed += 1;
      socket.send(data, { binary: true });
      return;
    }
    const said = JSON.parse(data);
    if (said.op === "login") {
      socket.send(JSON.stringify({ op: "welcome" }));
    } else if (said.op === "subscribe") {
      socket.send(JSON.stringify({ op: "subscribed" }));
      said.rooms.forEach((room) => feed(socket, room));
    } else {
      did.said += 1;
      socket.send(JSON.stringify({ re: { id: said.id }, status: "ok", text: said.text }));
    }
  });
});
server.on("listening", () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.on("end", () => {
  console.log(JSON.stringify(did));
  process.exit(0);
});
process.stdin.resume();
