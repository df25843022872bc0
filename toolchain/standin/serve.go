package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

const (
	// rawAfter is how long a client that sends nothing is taken for one that expects a greeting.
	rawAfter = 300 * time.Millisecond
	// idle ends a connection that sends nothing more.
	idle = 30 * time.Second
)

var methods = []string{"GET ", "HEAD ", "POST ", "PUT ", "PATCH ", "DELETE ", "OPTIONS ", "CONNECT ", "TRACE "}

// serve listens on all ports, or fails before it answers on any.
func serve(name string, ports []port) error {
	for _, p := range ports {
		address := fmt.Sprintf(":%d", p.number)
		if p.protocol == "udp" {
			socket, err := net.ListenPacket("udp", address)
			if err != nil {
				return err
			}
			go answerPackets(socket, name)
			continue
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		go accept(listener, name)
	}
	return nil
}

func accept(listener net.Listener, name string) {
	for {
		connection, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go answer(connection, name)
	}
}

// answer speaks HTTP to whom speaks HTTP, and gives everybody else the name at once.
func answer(connection net.Conn, name string) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	if !startsAsHTTP(connection, reader) {
		fmt.Fprintf(connection, "%s\n", name)
		return
	}
	for {
		connection.SetDeadline(time.Now().Add(idle))
		again, err := answerRequest(connection, reader, name)
		if err != nil || !again {
			return
		}
	}
}

func startsAsHTTP(connection net.Conn, reader *bufio.Reader) bool {
	connection.SetReadDeadline(time.Now().Add(rawAfter))
	for size := 1; size <= len("OPTIONS "); size++ {
		start, err := reader.Peek(size)
		if err != nil {
			return false
		}
		possible := false
		for _, method := range methods {
			if string(start) == method {
				return true
			}
			possible = possible || strings.HasPrefix(method, string(start))
		}
		if !possible {
			return false
		}
	}
	return false
}

func answerPackets(socket net.PacketConn, name string) {
	buffer := make([]byte, 2048)
	for {
		_, from, err := socket.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			socket.WriteTo([]byte(name+"\n"), from)
		}
	}
}

func health(ports []port) error {
	for _, p := range ports {
		if p.protocol != "tcp" {
			continue
		}
		connection, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", p.number), 2*time.Second)
		if err != nil {
			return err
		}
		connection.Close()
	}
	return nil
}
