// Counts the messages of each topic, and publishes the counts that it has whenever it is asked by a message of `count.ask`.
package main

import (
	"bufio"
	"encoding/json"
	"os"
)

type message struct {
	Topic string `json:"topic"`
	Body  string `json:"body"`
}

type told struct {
	Type    string  `json:"type"`
	ID      uint64  `json:"id"`
	Message message `json:"message"`
}

type fields map[string]any

func main() {
	out := json.NewEncoder(os.Stdout)
	say := func(kind string, line fields) {
		line["type"] = kind
		_ = out.Encode(line)
	}
	say("subscribe", fields{"topics": []string{">"}})
	say("ready", fields{"protocol": 1, "answers": []string{"ping"}})
	counts := map[string]int{}
	lines := bufio.NewReader(os.Stdin)
	for line, err := lines.ReadBytes('\n'); err == nil; line, err = lines.ReadBytes('\n') {
		var now told
		if json.Unmarshal(line, &now) != nil {
			continue
		}
		switch {
		case now.Type == "ping":
			say("pong", fields{"state": "running"})
		case now.Type == "message" && now.Message.Topic == "count.ask":
			body, _ := json.Marshal(counts)
			say("publish", fields{"message": message{"count.answer", string(body)}})
		case now.Type == "message":
			counts[now.Message.Topic]++
		}
	}
}
