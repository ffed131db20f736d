#!/bin/sh
# A process of its own that owns one program, the API, the dispatcher or a worker: starts it, and starts it again whenever it
# ends. It is a shell because it takes memory all the time: what is to be decided, Node decides when the program has ended.
# supervisor.sh <node> <note-supervision.js> <status file> <program> <argument>...; a signal ends the program, and then this process.
node=$1 note=$2 status_file=$3
shift 3
program='' pause='' stopping=''

stop() {
  stopping=1
  [ -n "$program" ] && kill -s "$1" "$program" 2>/dev/null
  [ -n "$pause" ] && kill "$pause" 2>/dev/null
}
trap 'stop INT' INT
trap 'stop TERM' TERM
trap 'stop HUP' HUP

# Sets `ended`. A signal to this process ends `wait`, not the program.
wait_for() {
  while :; do
    wait "$1"
    ended=$?
    kill -0 "$1" 2>/dev/null || return
  done
}

# Sets `seconds` and `known`. Without an answer, as when no process can be started, it is tried again in a minute.
ask() {
  answer=$("$node" "$note" "$status_file" "$known" "$@")
  seconds=$(printf '%s' "$answer" | head -n 1)
  known=$(printf '%s' "$answer" | tail -n +2)
  : "${seconds:=60}"
}

known=''
while [ -z "$stopping" ]; do
  started_at=$(date +%s)
  # When this process is killed, the kernel ends the program too: two of them must not run at once.
  setpriv --pdeathsig TERM "$node" "$@" &
  program=$!
  [ -n "$stopping" ] && stop TERM
  wait_for "$program"
  program=''
  [ -n "$stopping" ] && break
  ask ended "$ended" $(($(date +%s) - started_at))
  sleep "$seconds" &
  pause=$!
  wait_for "$pause"
  pause=''
  [ -n "$stopping" ] && break
  ask started
done
exit 0
