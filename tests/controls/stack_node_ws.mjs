// A service on Node's `ws`, sound or with bugs planted: the same as stack_websockets.py, and as little of squall in it.
// The tests say where `ws` is: WS_MODULE. `--bug NAME:EVERY`, `--wire-log FOLDER`.
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

const { WebSocketServer } = await import(process.env.WS_MODULE);
const { values } = parseArgs({ options: { bug: { type: "string", default: "" }, "wire-log": { type: "string" } } });
const [bug, every] = values.bug.split(":");
const log = fs.openSync(path.join(values["wire-log"], "node-0.jsonl"), "w");
const EMPTY_BODY_SUM = { 48: 1829419147, 64: 131106938 }; // of a message without a body, by its length: the low word of XXH3-64
const DELAY_MS = 200;
let lines = 0;
let connections = 0;
let messages = 0;
const open = new Set();
const muted = new Set();

function write(connection, what, more) {
  lines += 1;
  // The time is written by hand: JSON has no BigInt, and a double no nanoseconds.
  const head = `{"n": ${lines}, "at_ns": ${process.hrtime.bigint()}, "conn": ${connection.number}, "what": "${what}"`;
  const rest = Object.entries(more).map(([name, value]) => `, "${name}": ${JSON.stringify(value)}`);
  fs.writeSync(log, `${head}${rest.join("")}}\n`);
}

function send(to, isBinary, payload) {
  if (!open.has(to) || to.socket.readyState !== 1) return;
  write(to, "out", { op: isBinary ? "binary" : "text", hex: payload.toString("hex") });
  to.socket.send(payload, { binary: isBinary });
}

// The 48 bytes of an envelope, whichever form it came in.
function header(isBinary, payload) {
  if (isBinary) return Buffer.from(payload.subarray(0, 48));
  return Buffer.concat([payload.subarray(0, 4), Buffer.from(payload.toString("latin1", 4, 64), "base64").subarray(0, 44)]);
}

// CRC-32 bit by bit: zlib's is not in every Node.
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function acknowledgement(isBinary, head) {
  const made = Buffer.from(head);
  made[4] = (made[4] & 0xf1) | 4; // not the cause's flag
  made.fill(0, 32, 40);
  made.writeUInt32LE(EMPTY_BODY_SUM[isBinary ? 48 : 64], 40);
  made.writeUInt32LE(crc32(made.subarray(0, 44)), 44);
  if (isBinary) return made;
  const armour = Buffer.concat([made.subarray(4), Buffer.from([0])]).toString("base64");
  return Buffer.concat([made.subarray(0, 4), Buffer.from(armour, "latin1")]);
}

function flipped(payload, place) {
  const made = Buffer.from(payload);
  made[place] ^= 1;
  return made;
}

function deliver(from, isBinary, payload, strikes) {
  if (strikes === "reorder" && from.held === null) {
    from.held = payload;
    return;
  }
  const others = [...open].filter((other) => other !== from);
  const to = strikes === "cross-deliver" && others.length ? others[0] : from;
  let made = payload;
  if (strikes === "corrupt") made = flipped(payload, payload.length - 1);
  if (strikes === "corrupt-header") made = flipped(payload, 20);
  if (strikes === "delay") {
    setTimeout(() => send(to, isBinary, made), DELAY_MS);
  } else {
    send(to, isBinary, made);
    if (strikes === "duplicate") send(to, isBinary, made);
  }
  if (from.held !== null) {
    send(from, isBinary, from.held);
    from.held = null;
  }
}

function take(from, isBinary, payload) {
  messages += 1;
  const strikes = every && messages % Number(every) === 0 ? bug : "";
  if (strikes === "lose") return;
  if (from.path.startsWith("/ack")) {
    const head = header(isBinary, payload);
    const key = head.toString("hex", 7, 15) + head.toString("hex", 17, 21);
    if (strikes === "ack-never") muted.add(key);
    if (!muted.has(key)) send(from, isBinary, acknowledgement(isBinary, head));
    if (from.path === "/ack" || from.delivered.has(key)) return;
    from.delivered.add(key);
  }
  if (strikes !== "ack-then-lose") deliver(from, isBinary, payload, strikes);
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket, request) => {
  connections += 1;
  const connection = { number: connections, socket, path: request.url, held: null, delivered: new Set() };
  open.add(connection);
  write(connection, "open", { path: connection.path });
  socket.on("message", (data, isBinary) => {
    write(connection, "in", { op: isBinary ? "binary" : "text", hex: data.toString("hex") });
    take(connection, isBinary, data);
  });
  socket.on("close", (code) => {
    open.delete(connection);
    write(connection, "closed", { code });
  });
});
server.on("listening", () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.on("end", () => {
  fs.closeSync(log);
  console.log("{}");
  process.exit(0);
});
process.stdin.resume();
