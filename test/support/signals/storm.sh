# The shell program of the signal tests, for ash and bash: pipes, substitutions, files and children of a shell that traps
# interrupt all the time. In every run that loses nothing it says the same, and ends with 0.
# Usage: storm.sh ROUNDS

# No $() outside subshells: a trap in the middle of one confuses the parser of bash 5.2.
signals=
trap 'signals=.$signals' USR1
trap 'echo "ended in round $round"' EXIT
/signals/storm ping $$ 100 &

round=0 pipes= substitutions= files= documents= children=
while [ $round -lt "$1" ]; do
  round=`expr $round + 1`

  printf '%s\n' c b a | sort -r | head -n 2 | tr '\n' ' ' > /tmp/sorted
  read -r sorted < /tmp/sorted
  [ "$sorted" = 'c b' ] && pipes=.$pipes

  [ "`echo "one of $round" | cat`" = "one of $round" ] && substitutions=.$substitutions

  echo "first $round" > /tmp/file
  echo 'second' >> /tmp/file
  { read -r first; read -r second; } < /tmp/file
  [ "$first $second" = "first $round second" ] && files=.$files

  read -r document << END
of round $round
END
  [ "$document" = "of round $round" ] && documents=.$documents

  # wait is the one thing that a trap may end: it is in a subshell, which gets no signals.
  (
    (exit 7) &
    wait $!
    exit $?
  )
  [ $? -eq 7 ] && children=.$children
done

# On a busy machine the signals may come late.
late=
while [ ${#signals} -lt 100 ] && [ ${#late} -lt 30000 ]; do late=.$late; done

said="${#pipes} pipes, ${#substitutions} substitutions, ${#files} files, ${#documents} documents, ${#children} children"
echo "$said"
[ ${#signals} -ge 100 ] && often=often || often='too few'
echo "signals: $often"
[ "$said" = "$1 pipes, $1 substitutions, $1 files, $1 documents, $1 children" ] && [ "$often" = often ]
