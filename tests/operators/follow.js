#!/usr/bin/env node
// A bridge: each line that is appended to a file becomes a message. How far it has read is kept in a file of its own, and
// goes on once the stream has taken a line.
const fs = require("fs");
const path = require("path");
const lines = require("readline").createInterface({ input: process.stdin });

const say = (type, fields) => process.stdout.write(JSON.stringify({ type, ...fields }) + "\n");
let file, place, at = 0, rest = "";

function look() {
  let now;
  try { now = fs.openSync(file, "r"); } catch { return; }
  // It was truncated, or is another one.
  if (fs.fstatSync(now).size < at) [at, rest] = [0, ""];
  const bytes = Buffer.alloc(65536);
  const count = fs.readSync(now, bytes, 0, bytes.length, at + Buffer.byteLength(rest, "latin1"));
  fs.closeSync(now);
  const found = (rest + bytes.toString("latin1", 0, count)).split("\n");
  rest = found.pop();
  for (const line of found) {
    at += line.length + 1;
    const body = Buffer.from(line, "latin1").toString("utf8");
    say("publish", { id: at, message: { topic: "file.line", source: file, body } });
  }
}

function hello({ config, directories }) {
  file = config.file;
  place = path.join(directories.state, "place");
  try { at = Number(fs.readFileSync(place, "utf8")); } catch { /* It begins at the beginning. */ }
  say("ready", { protocol: 1, answers: ["ping", "shutdown"] });
  setInterval(look, 20);
}

lines.on("line", (line) => {
  const told = JSON.parse(line);
  if (told.type === "hello") hello(told);
  if (told.type === "published") fs.writeFileSync(place, String(told.id));
  if (told.type === "ping") say("pong", { state: "running" });
  if (told.type === "shutdown") process.exit(0);
});
