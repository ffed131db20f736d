// The Go program of the signal tests: files, pipes, children and memory of goroutines that the runtime interrupts all the
// time with SIGURG, its signal of preemption. In every run that loses nothing it says the same, and ends with 0.
// Usage: storm-go run ROUNDS, and of itself storm-go echo WORD
package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const workers = 4

var (
	problemsLock sync.Mutex
	problems     = map[string]int{}
	ended        atomic.Bool
)

func problem(name string, err error) {
	problemsLock.Lock()
	defer problemsLock.Unlock()
	problems[fmt.Sprint(name, ": ", err)]++
}

// Never calls a function: only a signal stops it for the collector, which runs all the time.
func spin() {
	for sum := 0; !ended.Load(); {
		for i := 0; i < 1_000_000; i++ {
			sum += i
		}
	}
}

func collect() {
	for !ended.Load() {
		runtime.GC()
	}
}

func tick() {
	ticks := time.Tick(100 * time.Microsecond)
	for !ended.Load() {
		<-ticks
	}
}

func files(worker, round int) uint32 {
	path := fmt.Sprintf("/tmp/go-%d", worker)
	text := bytes.Repeat([]byte(fmt.Sprintf("worker %d, round %d\n", worker, round)), 500)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		problem("write", err)
	}
	read, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(read, text) {
		problem("read", err)
	}
	if err := os.Remove(path); err != nil {
		problem("remove", err)
	}
	return crc32.ChecksumIEEE(read)
}

func children(worker, round int) uint32 {
	word := fmt.Sprintf("worker %d, round %d", worker, round)
	output, err := exec.Command(os.Args[0], "echo", word).Output()
	if err != nil || string(output) != word {
		problem("child", err)
	}
	return crc32.ChecksumIEEE(output)
}

func pipes(worker, round int) uint32 {
	reader, writer, err := os.Pipe()
	if err != nil {
		problem("pipe", err)
		return 0
	}
	text := bytes.Repeat([]byte{byte(worker), byte(round)}, 100_000)
	go func() {
		if _, err := writer.Write(text); err != nil {
			problem("write to a pipe", err)
		}
		if err := writer.Close(); err != nil {
			problem("close", err)
		}
	}()
	read, err := io.ReadAll(reader)
	if err != nil || !bytes.Equal(read, text) {
		problem("read from a pipe", err)
	}
	if err := reader.Close(); err != nil {
		problem("close", err)
	}
	return crc32.ChecksumIEEE(read)
}

func run(rounds int) {
	runtime.GOMAXPROCS(workers)
	sums := make([]uint32, workers)
	var working sync.WaitGroup
	for _, disturb := range []func(){spin, spin, collect, tick} {
		go disturb()
	}
	for worker := range sums {
		working.Add(1)
		go func(worker int) {
			defer working.Done()
			for round := 0; round < rounds; round++ {
				sums[worker] = sums[worker]*31 + files(worker, round)*7 + children(worker, round)*5 + pipes(worker, round)
			}
		}(worker)
	}
	working.Wait()
	ended.Store(true)
	fmt.Println("problems:", len(problems), problems)
	fmt.Printf("digest: %08x\n", sums)
	if len(problems) > 0 {
		os.Exit(1)
	}
}

func main() {
	switch os.Args[1] {
	case "echo":
		fmt.Print(os.Args[2])
	case "run":
		rounds, _ := strconv.Atoi(os.Args[2])
		run(rounds)
	}
}
