// A service on Node's `ws`, sound or with bugs planted: paths, bugs and log as in stack_websockets.py, and as little of
// squall in it. The tests say where `ws` is: WS_MODULE. `--bug NAME:EVERY`, `--wire-log FOLDER`.
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

const { WebSocketServer } = await import(process.env.WS_MODULE);
const { values } = parseArgs({ options: { bug: { type: "string", default: "" }, "wire-log": { type: "string" } } });
const [bug, every] = values.bug.split(":");
const log = fs.openSync(path.join(values["wire-log"], "node-0.jsonl"), "w");
const EMPTY_BODY_SUM = { 48: 1829419147, 64: 131106938 }; // of a message without a body, by its length: the low word of XXH3-64
const DELAY_MS = 200;
const OF_ACKNOWLEDGING = ["ack-never", "ack-then-lose"];
const IS_ACK = 4;
let lines = 0;
let connections = 0;
let messages = 0;
let struck = 0;
const open = new Set();
const muted = new Set();
const pushed = new Map(); // by message, the timer of its next attempt

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

// --- envelopes ---

const sizeOf = (isBinary) => (isBinary ? 48 : 64);

// The 48 bytes of an envelope, whichever form it came in; nothing where there is none.
function header(isBinary, payload) {
  if (payload.length < sizeOf(isBinary) || payload.toString("latin1", 0, 4) !== "sqEl") return null;
  if (isBinary) return Buffer.from(payload.subarray(0, 48));
  return Buffer.concat([payload.subarray(0, 4), Buffer.from(payload.toString("latin1", 4, 64), "base64").subarray(0, 44)]);
}

const keyOf = (head) => head.toString("hex", 7, 15) + head.toString("hex", 17, 21);

// CRC-32 bit by bit: zlib's is not in every Node.
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

// A changed header in the form of its message, with its checksum made good.
function sealed(isBinary, head) {
  head.writeUInt32LE(crc32(head.subarray(0, 44)), 44);
  if (isBinary) return head;
  const armour = Buffer.concat([head.subarray(4), Buffer.from([0])]).toString("base64");
  return Buffer.concat([head.subarray(0, 4), Buffer.from(armour, "latin1")]);
}

function acknowledgement(isBinary, head) {
  const made = Buffer.from(head);
  made[4] = (made[4] & 0xf1) | IS_ACK; // not the cause's flag
  made.fill(0, 32, 40);
  made.writeUInt32LE(EMPTY_BODY_SUM[sizeOf(isBinary)], 40);
  return sealed(isBinary, made);
}

function atAttempt(isBinary, payload, number) {
  const head = header(isBinary, payload);
  head[6] = (head[6] & 0xf0) | number;
  return Buffer.concat([sealed(isBinary, head), payload.subarray(sizeOf(isBinary))]);
}

function flipped(payload, place) {
  const made = Buffer.from(payload);
  made[place] ^= 1;
  return made;
}

// --- delivering ---

// Who gets what is meant for another: one of the same room, where there is one.
function stranger(receiver, sender) {
  const others = [...open].filter((each) => each !== receiver && each !== sender);
  return others.find((each) => each.room === receiver.room) ?? others[0] ?? receiver;
}

function deliver(receiver, sender, isBinary, payload, strikes) {
  if (strikes) struck += 1;
  if (strikes === "lose") return;
  if (strikes === "reorder" && receiver.held === null) {
    receiver.held = payload;
    return;
  }
  const to = strikes === "cross-deliver" ? stranger(receiver, sender) : receiver;
  let made = payload;
  if (strikes === "corrupt") made = flipped(payload, payload.length - 1);
  if (strikes === "corrupt-header") made = flipped(payload, 20);
  if (strikes === "delay") {
    setTimeout(() => send(to, isBinary, made), DELAY_MS);
  } else {
    send(to, isBinary, made);
    if (strikes === "duplicate") send(to, isBinary, made);
  }
  if (receiver.held !== null) {
    send(receiver, isBinary, receiver.held);
    receiver.held = null;
  }
}

function acknowledge(from, isBinary, payload, head, strikes) {
  if (["lose", ...OF_ACKNOWLEDGING].includes(strikes)) struck += 1;
  if (strikes === "lose") return;
  const key = keyOf(head);
  if (strikes === "ack-never") muted.add(key);
  if (!muted.has(key)) send(from, isBinary, acknowledgement(isBinary, head));
  if (from.path === "/ack" || from.delivered.has(key)) return;
  from.delivered.add(key);
  const spoils = OF_ACKNOWLEDGING.includes(strikes) ? "" : strikes;
  if (strikes !== "ack-then-lose") deliver(from, from, isBinary, payload, spoils);
}

// Send it back, and again after each time-out, until it is acknowledged.
function push(to, isBinary, payload, head, strikes) {
  const key = keyOf(head);
  const attempt = (number, spoils) => {
    if (number > 1 + to.retries || !open.has(to)) {
      pushed.delete(key);
      return;
    }
    pushed.set(key, setTimeout(attempt, to.timeoutMs, number + 1, ""));
    deliver(to, to, isBinary, atAttempt(isBinary, payload, number), spoils);
  };
  attempt(1, strikes);
}

// --- rooms and pairs ---

const othersIn = (room, connection) => [...open].filter((each) => each.room === room && each !== connection);

function join(connection, payload) {
  const name = JSON.parse(payload).join;
  const isFull = connection.path === "/relay" && othersIn(name, connection).length > 1;
  if (!isFull) connection.room = name;
  send(connection, false, Buffer.from(JSON.stringify({ [isFull ? "refused" : "joined"]: name })));
}

function publish(from, isBinary, payload, strikes) {
  for (const [place, member] of othersIn(from.room, from).entries()) {
    deliver(member, from, isBinary, payload, place === 0 ? strikes : "");
  }
}

// --- serving ---

function take(from, isBinary, payload) {
  const head = header(isBinary, payload);
  if (["/room", "/relay"].includes(from.path) && !from.room) {
    join(from, payload);
    return;
  }
  if (head && head[4] & IS_ACK) {
    clearTimeout(pushed.get(keyOf(head)));
    pushed.delete(keyOf(head));
    return;
  }
  messages += 1;
  const strikes = every && messages % Number(every) === 0 ? bug : "";
  if (from.room) publish(from, isBinary, payload, strikes);
  else if (head && from.path === "/push/acked") push(from, isBinary, payload, head, strikes);
  else if (head && from.path.startsWith("/ack")) acknowledge(from, isBinary, payload, head, strikes);
  else deliver(from, from, isBinary, payload, strikes);
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket, request) => {
  connections += 1;
  const asked = new URL(request.url, "ws://localhost");
  const connection = {
    number: connections,
    socket,
    path: asked.pathname,
    timeoutMs: Number(asked.searchParams.get("timeout")),
    retries: Number(asked.searchParams.get("retries")),
    room: "",
    held: null,
    delivered: new Set(),
  };
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
  console.log(JSON.stringify({ struck }));
  process.exit(0);
});
process.stdin.resume();
