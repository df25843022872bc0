package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
)

// largest is the body size above which a request is refused instead of read away.
const largest = 1 << 20

// answerRequest reads one HTTP request and answers it; it tells whether the connection may be used again.
func answerRequest(connection net.Conn, buffered *bufio.Reader, name string) (bool, error) {
	reader := textproto.NewReader(buffered)
	line, err := reader.ReadLine()
	if err != nil {
		return false, err
	}
	header, err := reader.ReadMIMEHeader()
	if err != nil {
		return false, err
	}
	words := strings.Fields(line)
	if len(words) != 3 {
		return false, fmt.Errorf("not a request: %q", line)
	}
	again := words[2] == "HTTP/1.1" && !strings.EqualFold(header.Get("Connection"), "close")
	if header.Get("Transfer-Encoding") != "" {
		// The body's end is unknown without decoding it, so the connection cannot be used again.
		again = false
	} else if size, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil && size > 0 {
		if size > largest {
			again = false
		} else if _, err := io.CopyN(io.Discard, buffered, size); err != nil {
			return false, err
		}
	}
	body := fmt.Sprintf("%s\n%s %s\nhost %s\nfrom %s\n", name, words[0], words[1], header.Get("Host"), connection.RemoteAddr())
	closing := ""
	if !again {
		closing = "Connection: close\r\n"
	}
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n%s\r\n", len(body), closing)
	if words[0] == "HEAD" {
		body = ""
	}
	_, err = io.WriteString(connection, head+body)
	return again, err
}
