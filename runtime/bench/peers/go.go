// Go's side of bench.c: a goroutine is a task, a channel is a queue, a WaitGroup is gather.
package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func cpu() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

func many(n int, f func()) {
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go func() { f(); all.Done() }()
	}
	all.Wait()
}

func rounds(n, ops int, f func()) float64 {
	most, began := ops/n, 0.0
	if most < 1 {
		most = 1
	}
	first := 0
	if most > 1 {
		first = -1
	}
	for round := first; round < most; round++ {
		if round <= 0 {
			began = cpu()
		}
		many(n, f)
	}
	return (cpu() - began) / float64(most*n)
}

func memory() (sum int) {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range bytes.Split(status, []byte("\n")) {
		var kib int
		for _, name := range []string{"VmRSS:", "VmPTE:"} {
			if k, _ := fmt.Sscanf(string(line), name+" %d", &kib); k == 1 {
				sum += kib * 1024
			}
		}
	}
	return
}

func serve(c net.Conn) {
	b := make([]byte, 4096)
	for {
		k, err := c.Read(b)
		if err != nil {
			return
		}
		c.Write(b[:k])
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	n, _ := strconv.Atoi(os.Args[2])
	ops, _ := strconv.Atoi(os.Args[3])
	began, took := cpu(), -1.0
	switch os.Args[1] {
	case "yield":
		many(n, func() {
			for i := 0; i < ops/n; i++ {
				runtime.Gosched()
			}
		})
	case "create":
		done := make(chan bool)
		for i := 0; i < ops; i++ {
			go func() { done <- true }()
			<-done
		}
	case "gather":
		took = rounds(n, ops, runtime.Gosched)
	case "sleepers":
		took = rounds(n, ops, func() { time.Sleep(time.Millisecond) })
	case "queue":
		items := make(chan int, n)
		go func() {
			for i := 0; i < ops; i++ {
				items <- i
			}
		}()
		for i := 0; i < ops; i++ {
			<-items
		}
	case "cancel":
		for i := 0; i < ops; i++ {
			ctx, cancel := context.WithTimeout(context.Background(), 1000*time.Second)
			done := make(chan bool)
			go func() { <-ctx.Done(); done <- true }()
			runtime.Gosched()
			cancel()
			<-done
		}
	case "park":
		before, forever := memory(), make(chan bool)
		for i := 0; i < n; i++ {
			go func() { <-forever }()
		}
		time.Sleep(100 * time.Millisecond)
		took = float64(memory()-before) / float64(n)
	case "echo":
		l, _ := net.Listen("tcp", "127.0.0.1:0")
		fmt.Println(l.Addr().(*net.TCPAddr).Port)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	default:
		os.Exit(3)
	}
	if took < 0 {
		took = (cpu() - began) / float64(ops)
	}
	fmt.Printf("%.2f\n", took)
}
