#!/usr/bin/env ruby
# Publishes an alert once so many messages with the header `level: error` have come: it is given no others.
require "json"

$stdout.sync = true

def say(type, **fields)
  puts JSON.generate({ type: type, **fields })
end

hello = JSON.parse($stdin.gets)
limit = hello["config"].fetch("limit", 3)
seen = 0
say "subscribe", topics: ["log.>"], headers: { level: "error" }
say "ready", protocol: 1, acks: true, answers: %w[ping reload]
$stdin.each_line do |line|
  told = JSON.parse(line)
  case told["type"]
  when "message"
    seen += 1
    if seen == limit
      message = told["message"]
      say "publish", message: { topic: "alert", body: "#{seen} errors, the last one: #{message["body"]}" }
      seen = 0
    end
    say "ack", id: told["id"]
  when "ping"
    say "pong", state: "running"
  when "reload"
    limit = told["config"].fetch("limit", 3)
    say "reloaded"
  end
end
