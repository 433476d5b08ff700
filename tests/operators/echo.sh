#!/bin/sh
# Uses nothing that is optional: takes messages of `ask.>`, and publishes each line again as `answer`.
echo '{"type":"subscribe","topics":["ask.>"]}'
echo '{"type":"ready"}'
while read -r line; do
  case $line in
    '{"type":"message"'*'"topic":"ask.'*'"body":'*) ;;
    *) continue ;;
  esac
  # The body is the last field, so what follows its name ends with two braces.
  body=${line##*\"body\":}
  printf '{"type":"publish","message":{"topic":"answer","body":%s}}\n' "${body%\}\}}"
done
