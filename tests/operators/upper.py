#!/usr/bin/env python3
"""Answers each message of `ask.>` in capitals, and acknowledges it when the stream has taken the answer."""
import json
import sys


def say(kind, **fields):
    print(json.dumps({"type": kind, **fields}), flush=True)


hello = json.loads(sys.stdin.readline())
config = hello["config"]
say("subscribe", topics=["ask.>"])
say("ready", protocol=1, acks=True, answers=["ping", "halt", "resume", "reload"])
for line in sys.stdin:
    told = json.loads(line)
    match told["type"]:
        case "message":
            text = config.get("prefix", "") + told["message"].get("body", "").upper()
            message = {"topic": "answer", "headers": [["by", "upper"]], "body": text}
            say("publish", id=told["id"], message=message)
        case "published":
            say("ack", id=told["id"])
        case "ping":
            say("pong", state="running")
        case "halt":
            say("halted")
        case "resume":
            say("resumed")
        case "reload":
            if not isinstance(told["config"].get("prefix", ""), str):
                say("refused", what="reload", reason="`prefix` is no text")
                continue
            config = told["config"]
            say("reloaded")
        case "shutdown":
            break
say("log", level="info", text="upper has ended")
